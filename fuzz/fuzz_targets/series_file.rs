//! Published series: faults can be printed, and what was read holds together.
#![no_main]

use giga_formats::series;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    match series::read("fuzz", &text) {
        Err(faults) => {
            assert!(!faults.diagnostics().is_empty());
            drop(faults.to_string());
        }
        Ok(table) => {
            assert!(!table.is_empty() && !table.columns.is_empty());
            for column in &table.columns {
                assert_eq!(column.values.len(), table.len());
                assert!(column.values.iter().all(|value| value.is_finite()));
                let figures = column.statistics(&table);
                assert!(
                    figures.least.0 <= figures.percentiles[1] && figures.percentiles[1] <= figures.most.0
                );
                let filled: usize = column.gaps.iter().map(|gap| gap.count).sum();
                assert!(filled < table.len(), "something was read");
                assert!(column.gaps.iter().all(|gap| gap.from >= table.first && gap.from < table.end()));
            }
        }
    }
});
