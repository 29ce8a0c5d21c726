"""CloudFormation: templates, stacks, change sets, and the operations that make resources in moto."""
