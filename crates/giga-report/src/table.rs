//! Columns on a screen: words to the left, figures to the right, no lines between.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// The lines of a table, each with one blank before it; nothing where there is no row.
pub(crate) fn table(columns: &[(&str, Side)], rows: impl IntoIterator<Item = Vec<String>>) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(name, _)| *name));
    table.add_rows(rows);
    if table.is_empty() {
        return Vec::new();
    }
    for (index, _) in columns.iter().enumerate().filter(|(_, (_, side))| *side == Side::Right) {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string().lines().map(|text| format!(" {}", text.trim_end())).collect()
}
