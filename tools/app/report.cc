#include "app/report.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "unicni/json_object.h"

namespace unicni::app {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::size_t kNarrowestColumn = 12;

/// The columns that are shown, by their index.
std::vector<std::size_t> shown_columns(const TableShape& shape) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    if (shape.columns[i].heading != nullptr) indices.push_back(i);
  }
  return indices;
}

std::size_t longest_line(std::string_view text) {
  std::size_t longest = 0;
  for (;;) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    longest = std::max(longest, width_of(text.substr(0, end)));
    if (end == text.size()) return longest;
    text.remove_prefix(end + 1);
  }
}

std::size_t with_gaps(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), kGap.size() * (widths.size() - 1));
}

/// Takes from the widest columns until the line fits. False: there is too little room.
bool fit(std::vector<std::size_t>& widths, std::size_t room) {
  while (with_gaps(widths) > room) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kNarrowestColumn) return false;
    --*widest;
  }
  return true;
}

struct Piece {
  std::string_view text;
  Tone tone;
};

/// One row of pieces, as many lines as its longest piece needs.
void append_row(std::string& out, const std::vector<Piece>& pieces,
                const std::vector<std::size_t>& widths, const Terminal& terminal) {
  std::vector<std::vector<std::string>> columns;
  std::size_t height = 1;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    columns.push_back(wrapped(pieces[i].text, widths[i]));
    height = std::max(height, columns.back().size());
  }
  for (std::size_t line = 0; line < height; ++line) {
    std::size_t blanks = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::string text = line < columns[i].size() ? columns[i][line] : std::string();
      if (!text.empty()) {
        out.append(blanks, ' ');
        out += terminal.in_tone(text, pieces[i].tone);
        blanks = 0;
      }
      blanks += widths[i] - width_of(text) + kGap.size();
    }
    out += '\n';
  }
}

void append_record(std::string& out, const TableShape& shape, const Row& row,
                   const Terminal& terminal) {
  const auto columns = shown_columns(shape);
  std::size_t names = 0;
  for (const std::size_t i : columns) names = std::max(names, width_of(shape.columns[i].heading));
  std::size_t room = std::string::npos;
  if (terminal.columns != 0) {
    const std::size_t taken = names + kGap.size();
    room = std::max(kNarrowestColumn, terminal.columns - std::min(terminal.columns, taken));
  }
  for (const std::size_t i : columns) {
    append_row(out, {{shape.columns[i].heading, Tone::heading}, {row[i].shown(), row[i].tone()}},
               {names, std::min(room, longest_line(row[i].shown()))}, terminal);
  }
}

}  // namespace

Cell::Cell(std::string shown, std::string json, Tone tone)
    : shown_(std::move(shown)), json_(std::move(json)), tone_(tone) {}

Cell Cell::text(std::string_view text, Tone tone) { return Cell::text(text, text, tone); }
Cell Cell::text(std::string_view shown, std::string_view text, Tone tone) {
  return {printable(shown), json_text(std::string(text)), tone};
}
Cell Cell::number(std::int64_t number, Tone tone) {
  return {std::to_string(number), std::to_string(number), tone};
}
Cell Cell::flag(bool flag, Tone tone) {
  return {flag ? "yes" : "no", flag ? "true" : "false", tone};
}
Cell Cell::list(const std::vector<std::string>& texts, Tone tone) {
  std::string shown;
  std::vector<std::string> elements;
  for (const std::string& text : texts) {
    shown += (shown.empty() ? "" : ", ") + text;
    elements.push_back(json_text(text));
  }
  return {texts.empty() ? "-" : printable(shown), json_array(elements),
          texts.empty() ? Tone::faint : tone};
}
Cell Cell::json(std::string_view shown, std::string json, Tone tone) {
  return {printable(shown), std::move(json), tone};
}

void Report::add_table(const TableShape& shape) { tables_.push_back({&shape, {}}); }

void Report::add_row(Row row) {
  if (tables_.empty() || row.size() != tables_.back().shape->columns.size()) {
    throw std::logic_error("a row has a cell for each column of its table");
  }
  tables_.back().rows.push_back(std::move(row));
}

std::string Report::text_of(const Table& table, const Terminal& terminal) {
  std::string out;
  if (table.shape->title != nullptr) {
    out += terminal.in_tone(table.shape->title, Tone::heading) + '\n';
  }
  const auto columns = shown_columns(*table.shape);
  std::vector<std::size_t> widths;
  std::vector<Piece> headings;
  for (const std::size_t i : columns) {
    headings.push_back({table.shape->columns[i].heading, Tone::heading});
    widths.push_back(width_of(headings.back().text));
    for (const Row& row : table.rows) {
      widths.back() = std::max(widths.back(), longest_line(row[i].shown()));
    }
  }
  const bool is_record = table.shape->form == Form::record ||
                         (terminal.columns != 0 && !fit(widths, terminal.columns));
  if (!is_record) append_row(out, headings, widths, terminal);
  for (const Row& row : table.rows) {
    if (is_record) {
      if (&row != &table.rows.front()) out += '\n';
      append_record(out, *table.shape, row, terminal);
      continue;
    }
    std::vector<Piece> pieces;
    for (const std::size_t i : columns) pieces.push_back({row[i].shown(), row[i].tone()});
    append_row(out, pieces, widths, terminal);
  }
  return out;
}

std::string Report::text(const Terminal& terminal) const {
  std::string out;
  for (const Table& table : tables_) {
    if (!out.empty()) out += '\n';
    out += text_of(table, terminal);
  }
  return out;
}

std::string Report::json() const {
  std::string out;
  for (const Table& table : tables_) {
    const bool is_list = table.shape->form == Form::rows;
    std::string rows;
    for (const Row& row : table.rows) {
      JsonObject object;
      for (std::size_t i = 0; i < row.size(); ++i) {
        object.set(table.shape->columns[i].key, row[i].json());
      }
      if (is_list) rows += rows.empty() ? "\n    " : ",\n    ";
      rows += object.str();
    }
    if (is_list) {
      rows = rows.empty() ? "[]" : "[" + rows + "\n  ]";
    } else if (rows.empty()) {
      rows = "null";
    }
    out += (out.empty() ? "" : ",") + ("\n  " + json_text(table.shape->key)) + ": " + rows;
  }
  return "{" + out + (out.empty() ? "}\n" : "\n}\n");
}

}  // namespace unicni::app
