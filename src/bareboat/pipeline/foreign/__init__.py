"""Models that do not compile: those that their own framework or ONNX Runtime answers for."""
