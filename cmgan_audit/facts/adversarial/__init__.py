"""What adversarial training is made of: the labels of real and fake, and what the discriminator is shown."""
