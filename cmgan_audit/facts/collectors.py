"""Every collector that looks at a run or at a whole tree; each lives beside the records that it makes."""

from __future__ import annotations

from cmgan_audit.facts.adversarial.games import games_of
from cmgan_audit.facts.adversarial.labels import configured_labels
from cmgan_audit.facts.averages.collecting import batch_means
from cmgan_audit.facts.checkpoints.exchanged_states import exchanged_states
from cmgan_audit.facts.checkpoints.keeping import kept_weights
from cmgan_audit.facts.checkpoints.kept_networks import kept_networks
from cmgan_audit.facts.checkpoints.loading import file_loads
from cmgan_audit.facts.checkpoints.replaced_networks import replaced_networks
from cmgan_audit.facts.checkpoints.resuming import resumes_of
from cmgan_audit.facts.data.evaluated_sets import evaluation_sets
from cmgan_audit.facts.data.listing_uses import listing_uses
from cmgan_audit.facts.data.own_loaders import own_loaders
from cmgan_audit.facts.data.pair_cuts import pair_cuts
from cmgan_audit.facts.data.splits import validation_splits
from cmgan_audit.facts.data.training_order import training_orders
from cmgan_audit.facts.data.worker_draws import worker_draws
from cmgan_audit.facts.hyperparameters.collecting import hyperparameters_of
from cmgan_audit.facts.levels.pairs import level_pairs
from cmgan_audit.facts.metrics.collecting import metric_records
from cmgan_audit.facts.options.collecting import options_of_run
from cmgan_audit.facts.options.unread import unread_options
from cmgan_audit.facts.passes.scored_loops import scored_loops
from cmgan_audit.facts.preparation.collecting import preparations
from cmgan_audit.facts.preparation.comparing import across_scripts
from cmgan_audit.facts.runtime.devices import placements
from cmgan_audit.facts.runtime.launching import process_starts
from cmgan_audit.facts.runtime.roots import roots_of
from cmgan_audit.facts.runtime.training import trainings
from cmgan_audit.facts.selection.directions import directions_of
from cmgan_audit.facts.selection.selecting import selections_of
from cmgan_audit.facts.spectra.transforms import transforms_of
from cmgan_audit.facts.steps.clips import clips_of
from cmgan_audit.facts.steps.learners import learners_of
from cmgan_audit.facts.steps.scalings import scalings_of
from cmgan_audit.facts.steps.schedulers import schedulers_of
from cmgan_audit.facts.steps.updates import updates_of
from cmgan_audit.facts.trained.applied import applied_settings
from cmgan_audit.facts.trained.collecting import trained_files
from cmgan_audit.facts.view import Collector, TreeCollector

COLLECTORS: tuple[Collector, ...] = (
    applied_settings,
    batch_means,
    clips_of,
    configured_labels,
    evaluation_sets,
    listing_uses,
    own_loaders,
    pair_cuts,
    training_orders,
    validation_splits,
    worker_draws,
    directions_of,
    exchanged_states,
    file_loads,
    games_of,
    hyperparameters_of,
    kept_weights,
    kept_networks,
    learners_of,
    level_pairs,
    metric_records,
    options_of_run,
    placements,
    preparations,
    process_starts,
    replaced_networks,
    resumes_of,
    roots_of,
    scalings_of,
    schedulers_of,
    scored_loops,
    selections_of,
    trainings,
    transforms_of,
    unread_options,
    updates_of,
)

# What lies beside the code, held against what the code does.
TREE_COLLECTORS: tuple[TreeCollector, ...] = (across_scripts, trained_files)
