"""The test cloud: moto's server behind a proxy that supplies what moto lacks of AWS, and that can fail any call."""
