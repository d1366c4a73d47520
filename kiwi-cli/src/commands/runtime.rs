//! `kiwi runtime`.

use crate::args::{AddCluster, AddRuntime, Output, RuntimeCommand};
use crate::compose::Session;
use crate::output;
use kiwi_core::domain::{ClusterSettings, RuntimeKind, RuntimeSettings};
use kiwi_core::error::Result;
use kiwi_core::provider::RuntimeReport;
use std::process::ExitCode;

pub(super) async fn run(session: &Session, command: RuntimeCommand, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    match command {
        RuntimeCommand::Add(add) => {
            let settings = match add {
                AddRuntime::Docker { name, engine } => RuntimeSettings { name, kind: RuntimeKind::Docker { engine } },
                AddRuntime::Kubernetes(add) => {
                    let AddCluster {
                        name,
                        kubeconfig,
                        context,
                        gateway,
                        ingress_class,
                        storage_class,
                        build_namespace,
                        kaniko_image,
                        helper_image,
                        build_memory,
                        mirrors,
                    } = *add;
                    let kubeconfig = kubeconfig.map(|path| std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned());
                    let cluster = ClusterSettings { gateway, ingress_class, storage_class, build_namespace, kaniko_image, helper_image, build_memory, mirrors };
                    RuntimeSettings { name, kind: RuntimeKind::Kubernetes { kubeconfig, context, cluster: Box::new(cluster) } }
                }
            };
            let report = kiwi.add_runtime(actor, &settings).await?;
            output::result(output, &settings, || format!("{} is registered: {}", settings.name, report.description));
            Ok(ExitCode::SUCCESS)
        }
        RuntimeCommand::List => {
            let all = kiwi.runtimes(actor).await?;
            output::result(output, &all, || {
                let rows: Vec<_> = all.iter().map(|runtime| vec![runtime.name.to_string(), runtime.kind.as_str().to_owned(), place(&runtime.kind)]).collect();
                output::table(&["name", "kind", "where"], &rows)
            });
            Ok(ExitCode::SUCCESS)
        }
        RuntimeCommand::Check { name } => {
            let report = kiwi.check_runtime(actor, &name).await?;
            output::result(output, &report, || text(&report));
            Ok(if report.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        RuntimeCommand::Rbac { name } => {
            let manifests = kiwi.runtime_rbac(actor, &name).await?;
            output::result(output, &manifests, || if manifests.is_empty() { "nothing has to be granted".to_owned() } else { output::yaml(&manifests) });
            Ok(ExitCode::SUCCESS)
        }
        RuntimeCommand::Clean { name } => {
            let removed = kiwi.clean_runtime(actor, &name).await?;
            output::result(output, &serde_json::json!({ "removed": removed }), || {
                if removed.is_empty() { "nothing to remove".to_owned() } else { removed.join("\n") }
            });
            Ok(ExitCode::SUCCESS)
        }
        RuntimeCommand::Remove { name } => {
            kiwi.remove_runtime(actor, &name).await?;
            output::result(output, &serde_json::json!({ "removed": name }), || format!("{name} is forgotten"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

pub(super) fn text(report: &RuntimeReport) -> String {
    let rows: Vec<_> =
        report.items.iter().map(|item| vec![if item.ok { "ok" } else { "missing" }.to_owned(), item.name.clone(), item.detail.clone()]).collect();
    format!("{}\n{}", report.description, output::table(&["state", "what", "detail"], &rows))
}

fn place(kind: &RuntimeKind) -> String {
    match kind {
        RuntimeKind::Docker { engine } => engine.clone().unwrap_or_else(|| "default".to_owned()),
        RuntimeKind::Kubernetes { kubeconfig, context, .. } => {
            format!("{} {}", kubeconfig.as_deref().unwrap_or("default"), context.as_deref().unwrap_or_default()).trim().to_owned()
        }
        _ => String::new(),
    }
}
