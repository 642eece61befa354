"""Logs in other languages: the few words that matter, as the table of names has them; punctuation of full width."""

from __future__ import annotations

from cmgan_audit.lazy_regex import regex

# Punctuation of full width does what its ASCII counterpart does.
_PUNCTUATION = str.maketrans("\uff1a\uff1d\uff0c\uff1b\uff5c\uff08\uff09\u3010\u3011\u3001\u3000", ":=,;|()[], ")
# `第 3 轮`, `第 3/100 轮`: the number stands inside of the word for epoch.
_NTH_EPOCH = regex("第\\s*(\0|\\d+)\\s*(/\\s*(?:\0|\\d+)\\s*)?个?\\s*(?:轮次?|輪次?|代|epoch)")
_WORDS = {
    "Época": "epoch",
    "época": "epoch",
    "Époque": "epoch",
    "époque": "epoch",
    "Эпоха": "epoch",
    "эпоха": "epoch",
    "エポック": "epoch",
    "에포크": "epoch",
    "에폭": "epoch",
    "轮次": "epoch",
    "輪次": "epoch",
    "轮数": "epoch",
    "步数": "step",
    "迭代": "iter",
    "学习率": "lr",
    "學習率": "lr",
    "学習率": "lr",
    "학습률": "lr",
    "pérdida": "loss",
    "Pérdida": "loss",
    "entraînement": "train",
    "Entraînement": "train",
    "évaluation": "eval",
    "Évaluation": "eval",
    "médio": "mean",
    "média": "mean",
    "acurácia": "accuracy",
    "Acurácia": "accuracy",
    "准确率": "accuracy",
    "準確率": "accuracy",
    "正确率": "accuracy",
    "正解率": "accuracy",
    "精度": "accuracy",
    "정확도": "accuracy",
    "得分": "score",
    "потери": "loss",
    "Потери": "loss",
    "потеря": "loss",
    "Потеря": "loss",
    "손실": "loss",
    "損失": "loss",
    "损失": "loss",
    "训练": "train",
    "訓練": "train",
    "学習": "train",
    "훈련": "train",
    "학습": "train",
    "обучение": "train",
    "обучения": "train",
    "Обучение": "train",
    "验证": "val",
    "驗證": "val",
    "検証": "val",
    "검증": "val",
    "validación": "val",
    "validação": "val",
    "валидация": "val",
    "валидации": "val",
    "Валидация": "val",
    "проверка": "val",
    "проверке": "val",
    "Проверка": "val",
    "тест": "test",
    "Тест": "test",
    "测试": "test",
    "測試": "test",
    "テスト": "test",
    "테스트": "test",
    "评估": "eval",
    "評估": "eval",
    "評価": "eval",
    "평가": "eval",
    "平均": "mean",
    "평균": "mean",
    "最佳": "best",
    "最好": "best",
    "最优": "best",
    "最高": "best",
    "최고": "best",
    "최상": "best",
    "ベスト": "best",
    "恢复": "resume",
    "级别": "level",
    "等级": "level",
    "級別": "level",
    "等級": "level",
}
_WORD = regex("|".join(_WORDS))


def in_english(text: str) -> str:
    """`第 3 轮 验证损失: 0.2` -> `epoch 3 val loss: 0.2`; other text stays, and so does the order of the numbers."""
    if text.isascii():
        return text
    text = _NTH_EPOCH.sub(lambda m: f"epoch {m.group(1)}{m.group(2) or ''} ", text.translate(_PUNCTUATION))
    return _WORD.sub(lambda m: f" {_WORDS[m.group()]} ", text)
