//! The lowest versions that the manifests allow of what they name themselves.

use std::path::Path;

use anyhow::{Context, Result};

use super::packed;
use super::verdict::Finding;
use super::workspace::Workspace;
use crate::tools::program;

pub(super) fn check(workspace: &Workspace) -> Result<Finding> {
    let packages = workspace.publishable()?;
    let packing = packed::pack(workspace, &packages)?;
    if !packing.succeeded {
        return Ok(Finding::failed_with("cargo package", &packing));
    }
    let folder = workspace.scratch("minimal")?;
    let members = packed::unpack(workspace, &packages, &folder)?;
    std::fs::write(folder.join("Cargo.toml"), packed::manifest(&packages, &members))?;
    for member in &members {
        without_tests(&folder.join(member).join("Cargo.toml"))?;
    }
    // The flag is cargo's own and unstable; with this variable, a stable cargo takes it.
    let mut resolve = workspace.cargo_in(&folder, &["generate-lockfile", "-Z", "direct-minimal-versions"]);
    let resolved = program::run(resolve.env("RUSTC_BOOTSTRAP", "1"))?;
    if resolved.is_offline() {
        return Ok(Finding::not_run("the registry cannot be reached"));
    }
    if !resolved.succeeded {
        let row =
            resolved.text.lines().find(|line| line.contains("failed to select")).unwrap_or(resolved.first_error());
        return Ok(Finding::fail(format!("no such set of versions: {row}")).with(&resolved.text));
    }
    let ran = program::run(&mut workspace.cargo_in(&folder, &["check", "--quiet", "--workspace", "--all-features"]))?;
    if !ran.succeeded {
        return Ok(Finding::failed_with("with the lowest versions", &ran));
    }
    Ok(Finding::pass("the lowest versions that the manifests name compile, with all features"))
}

/// Users do not build tests, so what only these need may be newer.
fn without_tests(manifest: &Path) -> Result<()> {
    let text = std::fs::read_to_string(manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    std::fs::write(manifest, without_dev_dependencies(&text))?;
    Ok(())
}

/// In a packed manifest, each dependency is a table of its own.
fn without_dev_dependencies(manifest: &str) -> String {
    let mut is_kept = true;
    let mut kept = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_kept = !line.contains("dev-dependencies");
        }
        if is_kept {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::without_dev_dependencies;

    #[test]
    fn dev_dependencies_are_left_out_also_those_of_a_target() {
        let manifest =
            "[package]\nname = \"a\"\n[dependencies.b]\nversion = \"1\"\n[dev-dependencies.c]\nversion = \"2\"\n";
        let more =
            "[target.\"cfg(unix)\".dev-dependencies.d]\nversion = \"3\"\n[lints.rust]\nunsafe_code = \"forbid\"\n";
        let kept = without_dev_dependencies(&format!("{manifest}{more}"));
        assert!(kept.contains("[dependencies.b]") && kept.contains("[lints.rust]"), "{kept}");
        assert!(!kept.contains("\"2\"") && !kept.contains("\"3\""), "{kept}");
    }
}
