#include "app/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "unicni/json_object.h"

namespace unicni::app::report_test {
namespace {

const TableShape kThings{"things",
                         nullptr,
                         Form::rows,
                         {{"name", "NAME", "string", "its name"},
                          {"count", "COUNT", "integer", "how many"},
                          {"why", "WHY", "string or null", "the reason"},
                          {"secret", nullptr, "array of strings", "for programs alone"}}};

Report two_things() {
  Report report;
  report.add_table(kThings);
  report.add_row({Cell::text("a"), Cell::number(7), Cell(), Cell::list({"x", "y"})});
  report.add_row({Cell::text("bee"), Cell::number(-1), Cell::text("it is here and stays here"),
                  Cell::list({})});
  return report;
}

std::size_t longest_line_of(const std::string& text) {
  std::size_t longest = 0;
  for (const std::string& line : wrapped(text, std::string::npos)) {
    longest = std::max(longest, width_of(line));
  }
  return longest;
}

TEST(Report, IsATableWithoutBlanksAtTheEndsOfLines) {
  EXPECT_EQ(two_things().text({}),
            "NAME  COUNT  WHY\n"
            "a     7      -\n"
            "bee   -1     it is here and stays here\n");
}

TEST(Report, WrapsTheWidestColumnWhereTheTerminalIsNarrow) {
  EXPECT_EQ(two_things().text({.columns = 30}),
            "NAME  COUNT  WHY\n"
            "a     7      -\n"
            "bee   -1     it is here and\n"
            "             stays here\n");
}

TEST(Report, IsAListOfRecordsWhereNoTableFits) {
  EXPECT_EQ(two_things().text({.columns = 20}),
            "NAME   a\n"
            "COUNT  7\n"
            "WHY    -\n"
            "\n"
            "NAME   bee\n"
            "COUNT  -1\n"
            "WHY    it is here\n"
            "       and stays\n"
            "       here\n");
}

TEST(Report, FitsTerminalsOfEveryWidth) {
  for (std::size_t columns = 20; columns < 60; ++columns) {
    EXPECT_LE(longest_line_of(two_things().text({.columns = columns})), columns);
  }
}

TEST(Report, IsJsonWithAllColumns) {
  EXPECT_EQ(
      two_things().json(),
      "{\n"
      "  \"things\": [\n"
      "    {\"name\":\"a\",\"count\":7,\"why\":null,\"secret\":[\"x\",\"y\"]},\n"
      "    {\"name\":\"bee\",\"count\":-1,\"why\":\"it is here and stays here\",\"secret\":[]}\n"
      "  ]\n"
      "}\n");
}

TEST(Report, WithoutRowsIsAnEmptyArray) {
  Report report;
  report.add_table(kThings);
  EXPECT_EQ(report.json(), "{\n  \"things\": []\n}\n");
  EXPECT_EQ(report.text({}), "NAME  COUNT  WHY\n");
}

TEST(Report, HasRecordsBesideTables) {
  static const TableShape sum{
      "sum", "In all", Form::record, {{"all", "ALL", "integer", ""}, {"ok", "OK", "boolean", ""}}};
  Report report = two_things();
  report.add_table(sum);
  report.add_row({Cell::number(2), Cell::flag(true)});
  EXPECT_THAT(report.text({}), ::testing::EndsWith("\n\nIn all\nALL  2\nOK   yes\n"));
  EXPECT_THAT(report.json(), ::testing::EndsWith("],\n  \"sum\": {\"all\":2,\"ok\":true}\n}\n"));
  EXPECT_TRUE(JsonObject::parse(report.json()));
}

TEST(Report, ColoursOnlyATerminalThatHasThem) {
  Report report;
  report.add_table(kThings);
  report.add_row({Cell::text("a", Tone::bad), Cell::number(7), Cell::text("b"), Cell()});
  EXPECT_EQ(report.text({}).find('\x1b'), std::string::npos);
  const std::string text = report.text({.columns = 0, .has_colours = true});
  EXPECT_THAT(text, ::testing::HasSubstr("\x1b[1;31ma\x1b[0m     7      b\n"));
  EXPECT_EQ(report.json().find('\x1b'), std::string::npos);
}

TEST(Report, ShowsNoControlCharactersAndStaysJsonForAnyBytes) {
  Report report;
  report.add_table(kThings);
  report.add_row({Cell::text("a\x1b[2J\xff\t\x7f"), Cell::number(1), Cell::text("ü"), Cell()});
  EXPECT_THAT(report.text({}), ::testing::HasSubstr("a\\x1b[2J\\xff\\x09\\x7f  1      ü\n"));
  EXPECT_TRUE(JsonObject::parse(report.json()));
}

TEST(Report, RefusesARowOfAnotherLength) {
  Report report;
  report.add_table(kThings);
  EXPECT_THROW(report.add_row({Cell()}), std::logic_error);
}

}  // namespace
}  // namespace unicni::app::report_test
