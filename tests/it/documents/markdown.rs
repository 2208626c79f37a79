//! As much of Markdown as the documents use: fenced code with the name before it, inline links, headings.

/// Fenced code.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fragment {
    /// What follows the fence: `yaml`, or nothing.
    pub(super) language: String,
    /// The file that it is, from a line before it that ends in "`natsgate.yaml`:".
    pub(super) name: Option<String>,
    /// The line of its first line, from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

/// Every fenced piece of code.
pub(super) fn fragments(text: &str) -> Vec<Fragment> {
    let (mut all, mut open, mut before) = (Vec::new(), None::<Fragment>, "");
    for (line, number) in text.lines().zip(1..) {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => {
                all.extend(open.take());
                // A name is of the code right after it.
                before = "";
            }
            (Some(language), None) => {
                open = Some(Fragment {
                    language: language.to_owned(),
                    name: name(before),
                    line: number + 1,
                    text: String::new(),
                });
            }
            (None, Some(fragment)) => fragment.text.push_str(&format!("{line}\n")),
            (None, None) if !line.trim().is_empty() => before = line,
            (None, None) => {}
        }
    }
    all
}

fn name(before: &str) -> Option<String> {
    before.trim_end().strip_suffix("`:")?.rsplit('`').next().map(str::to_owned)
}

/// The targets of inline links, outside of code.
pub(super) fn links(text: &str) -> Vec<&str> {
    let mut code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        code ^= line.starts_with("```");
        if !code {
            found.extend(line.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
        }
    }
    found
}

/// The anchors of a file's headings.
pub(super) fn slugs(text: &str) -> Vec<String> {
    let slug = |heading: &str| {
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    let heading = |line: &str| line.starts_with('#').then(|| slug(line.trim_start_matches('#')));
    text.lines().filter_map(heading).collect()
}
