//! XLSX workbooks: a sheet, and another one when it is full.
//!
//! The workbook leaves as it grows: neither memory nor another file holds its rows (see
//! `docs/adr/0007-a-workbook-written-as-a-stream.md`).

mod archive;
mod value;

use crate::{
    Batch, Column, Shape, State,
    export::{ExportError, Exported, Sink, sink::Counted, xlsx::archive::Archive},
};

/// Rows of a sheet, its header among them.
const SHEET_ROWS_MAX: u32 = 1_048_576;
/// Columns of a sheet.
const COLUMNS_MAX: usize = 16_384;
/// A sheet that is as long ends, far enough from what an archive takes.
const SHEET_BYTES_MAX: u64 = 3 << 30;
/// The sheet's text is packed when it is longer.
const TEXT_BYTES: usize = 64 * 1024;

/// How a workbook is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XlsxOptions {
    /// Rows of a sheet at most, without its header; at least 1, and no more than Excel takes.
    pub sheet_rows_max: u32,
}

impl XlsxOptions {
    /// Sheets as long as Excel takes them: 1,048,575 rows and a header.
    pub fn excel() -> XlsxOptions {
        XlsxOptions { sheet_rows_max: SHEET_ROWS_MAX - 1 }
    }
}

pub(super) struct Workbook<S: Sink> {
    archive: Archive<Counted<S>>,
    columns: Vec<Column>,
    sheet_rows_max: u32,
    sheets: usize,
    /// Rows of the sheet that is open, its header among them.
    rows: u32,
    text: String,
    scratch: String,
}

impl<S: Sink> Workbook<S> {
    pub(super) fn begin(options: XlsxOptions, shape: &Shape, out: Counted<S>) -> Result<Self, ExportError> {
        // The header is a row too.
        let sheet_rows_max = options.sheet_rows_max.clamp(1, SHEET_ROWS_MAX - 1) + 1;
        if shape.columns().len() > COLUMNS_MAX {
            return Err(ExportError::Refused("a sheet holds 16384 columns"));
        }
        let mut workbook = Workbook {
            archive: Archive::new(out),
            columns: shape.columns().to_vec(),
            sheet_rows_max,
            sheets: 0,
            rows: 0,
            text: String::new(),
            scratch: String::new(),
        };
        workbook.begin_sheet()?;
        Ok(workbook)
    }

    pub(super) fn batch(&mut self, batch: &Batch, exported: &mut Exported) -> Result<(), ExportError> {
        for row in 0..batch.row_count() {
            if self.rows == self.sheet_rows_max || self.archive.entry_bytes() >= SHEET_BYTES_MAX {
                self.end_sheet()?;
                self.begin_sheet()?;
            }
            self.text.push_str("<row>");
            for column in 0..self.columns.len() {
                let cell = batch.cell(row, column);
                match cell.state() {
                    State::Cut { .. } => exported.cells_cut += 1,
                    State::Undecodable => exported.cells_undecodable += 1,
                    State::Value | State::Null => {}
                }
                if !value::push_cell(&mut self.text, &cell, &mut self.scratch) {
                    exported.cells_shortened += 1;
                }
            }
            self.text.push_str("</row>\n");
            self.rows += 1;
            if self.text.len() >= TEXT_BYTES {
                self.write_out()?;
            }
        }
        Ok(())
    }

    /// Bytes that were written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.archive.out().bytes()
    }

    pub(super) fn end(mut self, exported: &mut Exported) -> Result<Counted<S>, ExportError> {
        self.end_sheet()?;
        exported.sheets = self.sheets;
        let (mut sheets, mut relations, mut types) = (String::new(), String::new(), String::new());
        for sheet in 1..=self.sheets {
            let name = if sheet == 1 { "Result".to_owned() } else { format!("Result {sheet}") };
            sheets.push_str(&format!(r#"<sheet name="{name}" sheetId="{sheet}" r:id="rId{sheet}"/>"#));
            relations.push_str(&format!(
                r#"<Relationship Id="rId{sheet}" Type="{OFFICE}/relationships/worksheet" Target="worksheets/sheet{sheet}.xml"/>"#
            ));
            types.push_str(&format!(
                r#"<Override PartName="/xl/worksheets/sheet{sheet}.xml" ContentType="{SHEETS}.worksheet+xml"/>"#
            ));
        }
        self.part("xl/styles.xml", STYLES)?;
        self.part(
            "xl/workbook.xml",
            &format!(
                r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}/relationships"><sheets>{sheets}</sheets></workbook>"#
            ),
        )?;
        self.part(
            "xl/_rels/workbook.xml.rels",
            &format!(
                r#"<Relationships xmlns="{PACKAGE}/relationships">{relations}<Relationship Id="styles" Type="{OFFICE}/relationships/styles" Target="styles.xml"/></Relationships>"#
            ),
        )?;
        self.part(
            "_rels/.rels",
            &format!(
                r#"<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            ),
        )?;
        self.part(
            "[Content_Types].xml",
            &format!(
                r#"<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{SHEETS}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="{SHEETS}.styles+xml"/>{types}</Types>"#
            ),
        )?;
        Ok(self.archive.finish()?)
    }

    fn begin_sheet(&mut self) -> Result<(), ExportError> {
        self.sheets += 1;
        self.archive.begin(&format!("xl/worksheets/sheet{}.xml", self.sheets))?;
        self.text.push_str(DECLARATION);
        self.text.push_str(&format!(
            r#"<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>"#
        ));
        self.text.push_str("<row>");
        for column in &self.columns {
            value::push_text(&mut self.text, &column.name, value::HEADER_STYLE);
        }
        self.text.push_str("</row>\n");
        self.rows = 1;
        Ok(())
    }

    fn end_sheet(&mut self) -> Result<(), ExportError> {
        self.text.push_str("</sheetData></worksheet>");
        self.write_out()
    }

    fn part(&mut self, name: &str, xml: &str) -> Result<(), ExportError> {
        self.archive.begin(name)?;
        self.archive.write(DECLARATION.as_bytes())?;
        Ok(self.archive.write(xml.as_bytes())?)
    }

    fn write_out(&mut self) -> Result<(), ExportError> {
        self.archive.write(self.text.as_bytes())?;
        self.text.clear();
        self.text.shrink_to(4 * TEXT_BYTES);
        self.scratch.clear();
        self.scratch.shrink_to(4 * TEXT_BYTES);
        Ok(())
    }
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const SHEETS: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/// The looks that `value` names by their place: plain, header, date, timestamp, time.
const STYLES: &str = concat!(
    r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">"#,
    r#"<numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/>"#,
    r#"<numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss.000"/>"#,
    r#"<numFmt numFmtId="166" formatCode="hh:mm:ss.000"/></numFmts>"#,
    r#"<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>"#,
    r#"<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>"#,
    r#"<fills count="2"><fill><patternFill patternType="none"/></fill>"#,
    r#"<fill><patternFill patternType="gray125"/></fill></fills>"#,
    r#"<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"#,
    r#"<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>"#,
    r#"<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>"#,
    r#"<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>"#,
    r#"<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#,
    r#"<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#,
    r#"<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>"#,
    r#"<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#,
);
