//! A compile error as a picture: what a compiler printed, in, an SVG out. Pure.

const LINE: usize = 20;
const LETTER: f64 = 8.4;
const MARGIN: usize = 20;

/// Draws the text as a terminal shows it.
pub(super) fn svg(printed: &str) -> String {
    let lines: Vec<&str> = printed.trim_end().lines().collect();
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let width = (longest as f64 * LETTER).ceil() as usize + 2 * MARGIN;
    let height = lines.len() * LINE + 2 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1e1e2e\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, monospace\" font-size=\"14\" fill=\"#cdd6f4\" \
         xml:space=\"preserve\">\n"
    );
    for (at, line) in lines.iter().enumerate() {
        let y = MARGIN + at * LINE + 14;
        out.push_str(&format!("<text x=\"{MARGIN}\" y=\"{y}\">{}</text>\n", coloured(line)));
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn coloured(line: &str) -> String {
    let span = |colour: &str, text: &str| format!("<tspan fill=\"{colour}\">{}</tspan>", escaped(text));
    if let Some(rest) = line.strip_prefix("error") {
        return span("#f38ba8", "error") + &escaped(rest);
    }
    let (gutter, rest) = line.split_at(line.find('|').map_or(0, |at| at + 1));
    if rest.trim_start().starts_with('^') {
        return span("#89b4fa", gutter) + &span("#f38ba8", rest);
    }
    if line.trim_start().starts_with("-->") {
        return span("#89b4fa", line);
    }
    span("#89b4fa", gutter) + &escaped(rest)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::svg;

    #[test]
    fn a_picture_has_every_line_and_no_markup_of_the_text() {
        let picture = svg("error: no `a<b>`\n --> src/main.rs:1:1\n  |\n1 | a & b\n  |     ^\n");
        assert!(picture.contains("no `a&lt;b&gt;`") && picture.contains(" a &amp; b"), "{picture}");
        assert_eq!(picture.matches("<text").count(), 5);
    }
}
