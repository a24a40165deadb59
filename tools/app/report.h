// What a verb tells: tables, which are text for people and JSON for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/terminal.h"

namespace unicni::app {

/// A column of a table, and the key of its value in JSON.
struct Column {
  const char* key;      ///< in JSON, "cni_version"
  const char* heading;  ///< in a table, "VERSION"; nullptr: the table doesn't show it
  const char* type;     ///< its type in JSON, for the manual: "string", "integer or null"
  const char* meaning;  ///< for the manual, a sentence
};

enum class Form : unsigned char {
  rows,    ///< headings over lines; in JSON an array of objects
  record,  ///< a line a column; in JSON one object
};

/// The same in every run of a verb. Lives as long as the program.
struct TableShape {
  const char* key;    ///< in JSON, "modules"
  const char* title;  ///< a line over the table; nullptr: none
  Form form;
  std::vector<Column> columns;
};

/// A value of a table.
class Cell {
 public:
  Cell() : Cell("-", "null", Tone::faint) {}  ///< none
  static Cell text(std::string_view text, Tone tone = Tone::plain);
  /// Another text for people than for programs.
  static Cell text(std::string_view shown, std::string_view text, Tone tone = Tone::plain);
  static Cell number(std::int64_t number, Tone tone = Tone::plain);
  static Cell flag(bool flag, Tone tone = Tone::plain);  ///< yes or no; true or false
  static Cell list(const std::vector<std::string>& texts, Tone tone = Tone::plain);
  /// JSON text as it is, which the table shows as `shown`.
  static Cell json(std::string_view shown, std::string json, Tone tone = Tone::plain);
  template <class T>
  static Cell text_or_none(const std::optional<T>& text) {
    return text ? Cell::text(*text) : Cell();
  }

  [[nodiscard]] const std::string& shown() const { return shown_; }
  [[nodiscard]] const std::string& json() const { return json_; }
  [[nodiscard]] Tone tone() const { return tone_; }

 private:
  Cell(std::string shown, std::string json, Tone tone);

  std::string shown_;
  std::string json_;
  Tone tone_;
};

using Row = std::vector<Cell>;

class Report {
 public:
  /// A table without rows. `shape` outlives the report.
  void add_table(const TableShape& shape);
  /// A row of the last table; throws std::logic_error unless it has a cell for each column.
  void add_row(Row row);

  /// The tables below each other. Where the terminal is too narrow for a table, its widest columns
  /// are wrapped; where that won't do, each row becomes a record. Nothing is cut off.
  [[nodiscard]] std::string text(const Terminal& terminal) const;
  /// One object with a key for each table, a line for each row.
  [[nodiscard]] std::string json() const;

 private:
  struct Table {
    const TableShape* shape;
    std::vector<Row> rows;
  };
  [[nodiscard]] static std::string text_of(const Table& table, const Terminal& terminal);

  std::vector<Table> tables_;
};

}  // namespace unicni::app
