"""Container images without a daemon: OCI layouts, layers, registries, and the engines that run them."""
