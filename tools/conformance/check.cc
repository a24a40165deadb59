#include "conformance/check.h"

#include <cctype>
#include <sstream>

#include "conformance/rules/rules.h"

namespace unicni::conformance {

std::string to_string(Level level) {
  switch (level) {
    case Level::must:
      return "must";
    case Level::should:
      return "should";
    case Level::may:
      return "may";
  }
  return "?";
}

std::vector<std::string> ids_of(const Check& check) {
  std::vector<std::string> ids;
  std::istringstream words(check.ids);
  for (std::string id; words >> id;) ids.push_back(id);
  return ids;
}

std::string name_of(const Check& check) {
  std::string name;
  for (const char c : std::string(check.ids) + ' ') name += std::isalnum(c) != 0 ? c : '_';
  bool upper = true;
  for (const char* c = check.what; *c != '\0'; ++c) {
    if (std::isalnum(static_cast<unsigned char>(*c)) == 0) {
      upper = true;
      continue;
    }
    name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(*c))) : *c;
    upper = false;
  }
  return name;
}

bool applies(const Check& check, const Subject& subject) {
  return subject.supports_from(check.since) && check.applies(subject);
}

std::vector<Check> all_checks() {
  std::vector<Check> all;
  for (const auto& part :
       {answer_rules(), version_rules(), request_rules(), argument_rules(), error_rules(),
        result_rules(), add_rules(), prev_result_rules(), del_rules(), check_rules(), gc_rules(),
        status_rules(), delegate_rules(), ipam_rules(), conversion_rules()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

bool every(const Subject&) { return true; }

bool works_inside(const Subject& subject) { return subject.profile().kind != Kind::ipam; }

bool creates(const Subject& subject) { return subject.profile().creates; }

bool hands_on(const Subject& subject) { return chained(subject) || subject.profile().passes_on; }

bool chained(const Subject& subject) { return subject.profile().kind == Kind::chained; }

bool delegates(const Subject& subject) { return subject.delegates(); }

bool is_ipam(const Subject& subject) { return subject.profile().kind == Kind::ipam; }

bool reserves(const Subject& subject) { return !subject.profile().reservations.empty(); }

bool has_small_pool(const Subject& subject) { return subject.profile().small_pool.is_object(); }

}  // namespace unicni::conformance
