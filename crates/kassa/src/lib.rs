//! The one binary: wires playground, gateway and shop together and runs them.
