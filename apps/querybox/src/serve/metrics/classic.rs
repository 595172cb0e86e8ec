//! The text format that every collector reads, out of OpenMetrics.

/// The text format before OpenMetrics, in which a counter's own name ends in `_total`, and there is no end mark.
pub(super) fn derive_classic(text: &str) -> String {
    let counters: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut classic = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(kind), Some(name), Some(rest)) if counters.contains(&name) => {
                classic.push_str(&format!("# {kind} {name}_total {rest}"));
            }
            _ => classic.push_str(line),
        }
        classic.push('\n');
    }
    classic
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::text::encode, metrics::counter::Counter, registry::Registry};

    use super::*;

    #[test]
    fn a_counter_goes_by_its_samples_name() {
        let mut registry = Registry::with_prefix("qb");
        let counter: Counter = Counter::default();
        registry.register("runs", "How many ran", counter.clone());
        counter.inc();
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert_eq!(
            derive_classic(&text),
            "# HELP qb_runs_total How many ran.\n# TYPE qb_runs_total counter\nqb_runs_total 1\n"
        );
    }
}
