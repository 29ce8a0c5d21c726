"""(Service, Shipment) -> a CloudFormation template, a pure function."""
