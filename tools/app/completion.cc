// The completion for bash. It needs nothing of the package bash-completion, so that it can be
// sourced anywhere.
#include <fmt/core.h>

#include <algorithm>

#include "app/command_line.h"

namespace unicni::app {
namespace {

/// bash that prints what may stand for a value's word; "": nothing is known of it.
std::string candidates_for(const Application& application, const std::string& word) {
  for (const Completion& completion : application.completions) {
    if (word == completion.word) return completion.command;
  }
  if (word == "FILE") return R"(compgen -f -- "$cur")";
  if (word == "FOLDER") return R"(compgen -d -- "$cur")";
  if (word.find('|') != std::string::npos || word == "bash") {  // words of a choice
    std::string words = word;
    std::replace(words.begin(), words.end(), '|', ' ');
    return fmt::format(R"(compgen -W "{}" -- "$cur")", words);
  }
  return {};
}

std::string dashed_names(const CLI::Option& option, const char* between) {
  std::string names;
  for (const std::string& name : option.get_snames()) {
    names += (names.empty() ? "" : between) + ("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    names += (names.empty() ? "" : between) + ("--" + name);
  }
  return names;
}

std::string all_names(const CLI::App& app) {
  std::string names;
  for (const CLI::Option* option : shown_options(app)) {
    names += (names.empty() ? "" : " ") + dashed_names(*option, " ");
  }
  return names;
}

/// "--keep|-i": the options whose next word is theirs, as a pattern of case.
std::string with_value(const CLI::App& app) {
  std::string pattern;
  for (const CLI::Option* option : shown_options(app)) {
    if (!takes_value(*option)) continue;
    pattern += (pattern.empty() ? "" : "|") + dashed_names(*option, "|");
  }
  return pattern.empty() ? "''" : pattern;
}

/// The word that completions are looked up by.
std::string word_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return option.nonpositional() || !type.empty() ? type : option.get_name(true);
}

std::string verb_case(const Application& application, const CommandLine::Entry& entry) {
  std::string out = fmt::format("    {})\n      options=\"{}\" valued='{}'\n", entry.text->name,
                                all_names(*entry.app), with_value(*entry.app));
  out += "      _unicni_value() {\n        case $1 in\n";
  for (const CLI::Option* option : shown_options(*entry.app)) {
    if (!takes_value(*option)) continue;
    const std::string candidates = candidates_for(application, word_of(*option));
    out += fmt::format("          {}) {} ;;\n", dashed_names(*option, "|"),
                       candidates.empty() ? ":" : candidates);
  }
  const auto operands = shown_operands(*entry.app);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool repeats = operands[i]->get_items_expected_max() > 1;
    const std::string candidates = candidates_for(application, word_of(*operands[i]));
    out += fmt::format("          {}) {} ;;\n", repeats ? "[0-9]*" : std::to_string(i),
                       candidates.empty() ? ":" : candidates);
  }
  return out + "        esac\n      }\n      ;;\n";
}

constexpr const char* kHead = R"(# Completes {name}; made by "{name} completion bash".
_unicni_{name}() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} verb= previous= operands=0 options= valued= word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${{COMP_WORDS[i]}} == -* ]] || {{ verb=${{COMP_WORDS[i]}}; break; }}
  done
  case $verb in
    '')
      mapfile -t COMPREPLY < <(compgen -W "{verbs} {options}" -- "$cur")
      return
      ;;
)";

constexpr const char* kTail = R"(    *) return ;;
  esac
  # Which operand is it, or is it the value of the option before?
  for ((i++; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    if [[ -n $previous ]]; then
      previous=
    elif [[ $word == -* ]]; then
      [[ "|$valued|" == *"|$word|"* ]] && previous=$word
    else
      ((operands++))
    fi
  done
  if [[ -z $previous && $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  else
    mapfile -t COMPREPLY < <(_unicni_value "${{previous:-$operands}}")
    compopt -o filenames 2> /dev/null
  fi
  unset -f _unicni_value
}}
complete -F _unicni_{name} {name}
)";

}  // namespace

std::string completion_script(const CommandLine& line) {
  const Application& application = line.application();
  std::string verbs;
  std::string cases;
  for (const auto& entry : line.entries()) {
    verbs += (verbs.empty() ? "" : " ") + std::string(entry.text->name);
    cases += verb_case(application, entry);
  }
  return fmt::format(kHead, fmt::arg("name", application.name), fmt::arg("verbs", verbs),
                     fmt::arg("options", all_names(line.root()))) +
         cases + fmt::format(kTail, fmt::arg("name", application.name));
}

}  // namespace unicni::app
