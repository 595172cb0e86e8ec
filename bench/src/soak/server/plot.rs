//! What the server held, as curves over time.

use std::fmt::Write as _;

use super::{ServerSoak, watch::Look};

const WIDTH: f64 = 980.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 940.0;
const TOP: f64 = 96.0;
/// Of each curve, and between two.
const HEIGHT: f64 = 110.0;
const BETWEEN: f64 = 44.0;

const STYLE: &str = "text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#24292f}\
.title{font-size:18px;font-weight:600}.small{font-size:11.5px;fill:#656d76}.end{text-anchor:end}.middle{text-anchor:middle}\
.grid{stroke:#eaeef2}polyline{fill:none;stroke:#0969da;stroke-width:1.6;stroke-linejoin:round}";

/// The drawing as SVG.
pub(super) fn render(looks: &[Look], soak: &ServerSoak) -> String {
    type Of = fn(&Look) -> f64;
    let curves: [(&str, Of); 3] = [
        ("memory, MiB", |look| look.rss_bytes as f64 / 1_048_576.0),
        ("descriptors", |look| look.descriptors as f64),
        ("drivers", |look| look.children as f64),
    ];
    let seconds = looks.last().map_or(1.0, |look| look.at.as_secs_f64()).max(1e-3);
    let bottom = TOP + curves.len() as f64 * (HEIGHT + BETWEEN);
    let height = bottom + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\">\n\
         <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#ffffff\"/>\n"
    );
    let mut put = |element: String| writeln!(svg, "{element}").expect("a string takes all");
    let visits = looks.last().map_or(0, |look| look.visits);
    put("<text class=\"title\" x=\"24\" y=\"34\">querybox serve under a crowd</text>".to_owned());
    put(format!(
        "<text class=\"small\" x=\"24\" y=\"54\">{} clients at once, {visits} visits in {seconds:.0} s, each row looked at</text>",
        soak.clients
    ));
    for (index, (name, of)) in curves.into_iter().enumerate() {
        let top = TOP + index as f64 * (HEIGHT + BETWEEN);
        let most = rounded(looks.iter().map(of).fold(1.0, f64::max));
        put(format!("<text x=\"{LEFT}\" y=\"{}\">{name}</text>", top - 10.0));
        for part in [0.0, 0.5, 1.0] {
            let y = top + HEIGHT * (1.0 - part);
            put(format!("<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{RIGHT}\" y2=\"{y}\"/>"));
            let value = most * part;
            put(format!(
                "<text class=\"small end\" x=\"{}\" y=\"{}\">{value:.0}</text>",
                LEFT - 8.0,
                y + 4.0
            ));
        }
        let points: Vec<String> = looks
            .iter()
            .map(|look| {
                let x = LEFT + (RIGHT - LEFT) * look.at.as_secs_f64() / seconds;
                format!("{x:.1},{:.1}", top + HEIGHT * (1.0 - of(look) / most))
            })
            .collect();
        put(format!("<polyline points=\"{}\"/>", points.join(" ")));
    }
    for part in 0_u8..=4 {
        let part = f64::from(part) / 4.0;
        let x = LEFT + (RIGHT - LEFT) * part;
        let y = bottom - BETWEEN + 18.0;
        put(format!("<text class=\"small middle\" x=\"{x}\" y=\"{y}\">{:.0} s</text>", seconds * part));
    }
    svg.push_str("</svg>\n");
    svg
}

/// The next number above that people count by.
fn rounded(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn scales_end_at_numbers_that_people_count_by() {
        assert_eq!([1.0, 1.2, 4.0, 51.0, 99.0, 700.0].map(rounded), [1.0, 2.0, 5.0, 100.0, 100.0, 1000.0]);
    }

    #[test]
    fn each_look_is_a_point_of_each_curve() {
        let look = |at, rss_mebibytes: u64| Look {
            at: Duration::from_secs(at),
            rss_bytes: rss_mebibytes << 20,
            descriptors: 50,
            children: 2,
            threads: 5,
            visits: 10 * at,
        };
        let soak = ServerSoak { clients: 200, time: Duration::from_secs(10), seed: 1, drawing: None };
        let drawing = render(&[look(0, 25), look(5, 50), look(10, 50)], &soak);
        assert!(drawing.contains("200 clients at once, 100 visits in 10 s"), "{drawing}");
        assert!(drawing.contains("<polyline points=\"70.0,151.0 505.0,96.0 940.0,96.0\"/>"), "{drawing}");
        assert!(drawing.ends_with("</svg>\n"));
    }
}
