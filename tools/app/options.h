// The arguments of a verb, said once: the command line, --help, completion and the manual are made
// of it. CLI11 is behind it and nowhere else, as each source that includes it takes seconds longer
// to compile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace unicni::app {

/// What is given on the command line is written to `to`, which outlives the parsing and has its
/// default before. `names` are as "-i,--ifname"; `value` is the word that stands for the value in
/// help texts ("FILE", "NETWORK"), and Application::completions says what may stand for it. `help`
/// is a sentence without its full stop. std::logic_error for what makes no sense.
class Options {
 public:
  explicit Options(CLI::App& app) : app_(app) {}

  void flag(bool& to, const char* names, const char* help);
  /// Given several times, the last one counts.
  void value(std::string& to, const char* names, const char* value, const char* help);
  void value(std::optional<std::string>& to, const char* names, const char* value,
             const char* help);
  /// A whole number in [low, high].
  void number(std::optional<std::int64_t>& to, const char* names, const char* value,
              std::int64_t low, std::int64_t high, const char* help);
  /// May be given several times.
  void values(std::vector<std::string>& to, const char* names, const char* value, const char* help);
  /// One of these words.
  void choice(std::string& to, const char* names, const std::vector<std::string>& words,
              const char* help);

  /// Arguments without an option's name, in their order. `name` is as "NETWORK".
  void operand(std::string& to, const char* name, const char* help);
  void optional_operand(std::string& to, const char* name, const char* help);
  void operands(std::vector<std::string>& to, const char* name, const char* help);  ///< 1 or more
  void optional_operands(std::vector<std::string>& to, const char* name, const char* help);
  void optional_choice_operand(std::string& to, const char* name,
                               const std::vector<std::string>& words, const char* help);
  /// Whatever else follows is no error.
  void ignore_more_operands();

  /// Two options of which only one may be given.
  void exclude(const char* one, const char* other);

 private:
  CLI::App& app_;
};

}  // namespace unicni::app
