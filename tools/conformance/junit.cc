#include "conformance/junit.h"

#include <algorithm>
#include <sstream>

namespace unicni::conformance {
namespace {

/// Text of an element or attribute. Control characters, which XML 1.0 can't have, become '?'.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

std::string seconds(std::chrono::milliseconds time) {
  std::ostringstream text;
  text << static_cast<double>(time.count()) / 1000;
  return text.str();
}

std::string seen(const Verdict& verdict) {
  std::string text = verdict.why;
  for (const Finding& finding : verdict.findings) {
    text += (text.empty() ? "" : "\n") + finding.id + ": " + finding.text;
  }
  return text;
}

void put_case(std::ostringstream& xml, const std::string& plugin, const Verdict& verdict) {
  xml << "  <testcase classname=\"" << escaped(plugin) << "\" name=\""
      << escaped(std::string(verdict.check.ids) + " " + verdict.check.what) << "\" time=\""
      << seconds(verdict.took) << '"';
  if (verdict.outcome == Outcome::passed) {
    xml << "/>\n";
    return;
  }
  xml << ">\n";
  if (verdict.outcome == Outcome::not_applicable) {
    xml << "    <skipped/>\n";
  } else if (is_failure(verdict)) {
    xml << "    <failure message=\"must violated\">" << escaped(seen(verdict)) << "</failure>\n";
  } else if (is_open(verdict)) {
    xml << "    <error message=\"must not checked\">" << escaped(seen(verdict)) << "</error>\n";
  } else {
    xml << "    <system-out>" << to_string(verdict.check.level) << ' ' << to_string(verdict.outcome)
        << ": " << escaped(seen(verdict)) << "</system-out>\n";
  }
  xml << "  </testcase>\n";
}

}  // namespace

std::string junit(const std::string& plugin, const std::vector<Verdict>& verdicts) {
  std::chrono::milliseconds took{};
  for (const Verdict& verdict : verdicts) took += verdict.took;
  const auto failures = std::count_if(verdicts.begin(), verdicts.end(), &is_failure);
  const auto errors = std::count_if(verdicts.begin(), verdicts.end(), &is_open);
  const auto skipped = std::count_if(verdicts.begin(), verdicts.end(), [](const Verdict& each) {
    return each.outcome == Outcome::not_applicable;
  });
  std::ostringstream xml;
  xml << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"conformance of "
      << escaped(plugin) << "\" tests=\"" << verdicts.size() << "\" failures=\"" << failures
      << "\" errors=\"" << errors << "\" skipped=\"" << skipped << "\" time=\"" << seconds(took)
      << "\">\n  <properties>\n    <property name=\"verdict\" value=\""
      << to_string(conformity_of(verdicts)) << "\"/>\n  </properties>\n";
  for (const Verdict& verdict : verdicts) put_case(xml, plugin, verdict);
  xml << "</testsuite>\n";
  return xml.str();
}

}  // namespace unicni::conformance
