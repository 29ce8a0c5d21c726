"""What each type of resource means: how it is made, changed and deleted through moto's own APIs."""
