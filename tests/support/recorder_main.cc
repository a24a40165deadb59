// A CNI plugin for tests. Every call is appended to <own path>.log as one JSON line {"env",
// "stdin"}; the answer is that of the verb in <own path>.answers, a JSON object such as {"ADD":
// {"out": "…", "err": "…", "exit": 1}}. Without an answer, ADD prints prevResult and every other
// verb nothing.
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "support/json.h"

using unicni::test::Json;

int main(int, char** argv) {
  const std::string self = argv[0];
  Json call = {{"env", Json::object()},
               {"stdin", std::string(std::istreambuf_iterator<char>(std::cin), {})}};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable = *entry;
    const auto equals = variable.find('=');
    call["env"][variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  std::ofstream(self + ".log", std::ios::app) << call.dump() << '\n';

  const std::string command = call["env"].value("CNI_COMMAND", "");
  std::ifstream file(self + ".answers");
  const Json answers = file ? Json::parse(file) : Json::object();
  if (answers.contains(command)) {
    const Json& answer = answers[command];
    std::cout << answer.value("out", "");
    std::cerr << answer.value("err", "");
    return answer.value("exit", 0);
  }
  if (command == "ADD") {
    const Json request = Json::parse(call["stdin"].get<std::string>());
    std::cout << request.value("prevResult", Json::object()).dump();
  }
  return 0;
}
