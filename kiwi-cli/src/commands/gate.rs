//! What scans let through.

use crate::args::{GateArguments, Output};
use crate::compose::Session;
use crate::output;
use kiwi_core::domain::Gate;
use kiwi_core::error::Result;
use serde_json::json;
use std::process::ExitCode;

pub(super) async fn run(session: &Session, arguments: GateArguments, format: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    let (name, environment) = (&arguments.at.service, arguments.at.environment);
    if arguments.preset {
        kiwi.set_gate(actor, name, environment, None).await?;
    } else if arguments.flags.are_given() || arguments.new_only || arguments.report_only {
        let gate = Gate { new_only: arguments.new_only, report_only: arguments.report_only, ..arguments.flags.gate() };
        kiwi.set_gate(actor, name, environment, Some(gate)).await?;
    }
    let (gate, chosen) = kiwi.gate(actor, name, environment).await?;
    let shown = json!({ "service": name, "environment": environment, "chosen": chosen, "gate": gate });
    output::result(format, &shown, || text(&gate, chosen));
    Ok(ExitCode::SUCCESS)
}

fn text(gate: &Gate, chosen: bool) -> String {
    let mut lines = vec![format!("{}, {}", if gate.report_only { "reports only" } else { "refuses" }, if chosen { "as somebody chose" } else { "the preset" })];
    lines.push(format!("findings of {} and above{}", gate.fail_on, if gate.fail_on_unknown { ", and those that nobody rated" } else { "" }));
    let mut lets = Vec::new();
    lets.extend(gate.ignore_unfixed.then_some("vulnerabilities that no version mends"));
    lets.extend(gate.ignore_development.then_some("dependencies of development"));
    lets.extend(gate.new_only.then_some("what the live release has too"));
    lets.extend(gate.allow_incomplete.then_some("scans that could not look at everything"));
    lines.push(format!("lets through: {}", if lets.is_empty() { "nothing else".to_owned() } else { lets.join("; ") }));
    lines.join("\n")
}
