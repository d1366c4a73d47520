//! Traces of requests and runs for OpenTelemetry, where its own variables name a collector
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>).

use kiwi_core::error::{Error, ErrorKind, Result};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, layer::Filter};

/// Sends spans in batches from a thread of its own; its end sends the last ones.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// None when no variable names a collector.
    pub(crate) fn start() -> Result<Option<Self>> {
        if !wanted() {
            return Ok(None);
        }
        let failed = |error| {
            Error::new(ErrorKind::InvalidInput, "start traces", "the exporter of traces cannot be set up")
                .with_source(error)
                .with_hint("check the variables whose names begin with OTEL_EXPORTER_OTLP")
        };
        Ok(Some(Self::sent_by(SpanExporter::builder().with_http().build().map_err(failed)?)))
    }

    fn sent_by(exporter: SpanExporter) -> Self {
        let resource = Resource::builder();
        let resource = if named("OTEL_SERVICE_NAME") { resource } else { resource.with_service_name("kiwi") };
        Self(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build())
    }

    /// Takes the spans of Kiwi itself: those of the exporter's own requests would never end.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer("kiwi")).with_filter(of_kiwi())
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        let _ = self.0.shutdown();
    }
}

/// Whether a collector is named.
pub(crate) fn wanted() -> bool {
    named("OTEL_EXPORTER_OTLP_ENDPOINT") || named("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
}

fn named(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| !value.is_empty())
}

fn of_kiwi<S>() -> impl Filter<S> {
    filter_fn(|metadata: &Metadata<'_>| metadata.target().starts_with("kiwi") && *metadata.level() <= Level::INFO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_otlp::WithExportConfig as _;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn spans_of_kiwi_reach_a_collector() {
        let collector = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/v1/traces", collector.local_addr().unwrap());
        let received = std::thread::spawn(move || {
            let mut stream = BufReader::new(collector.accept().unwrap().0);
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            String::from_utf8_lossy(&body).into_owned()
        });
        let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build().unwrap();
        let traces = Traces::sent_by(exporter);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(traces.layer()), || {
            let request = tracing::info_span!(target: "kiwi_http", "request", otel.name = "GET /api/v1/services", status = 200);
            let _inside = request.enter();
            drop(tracing::info_span!(target: "hyper", "of others"));
        });
        drop(traces);
        let body = received.join().unwrap();
        assert!(body.contains("GET /api/v1/services") && body.contains("service.name") && body.contains("kiwi"), "{body}");
        assert!(!body.contains("of others"), "{body}");
    }
}
