#include "app/application.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "unicni/error.h"

namespace unicni::app::application_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

const TableShape kFruits{
    "fruits", nullptr, Form::rows, {{"name", "NAME", "string", "what it is called"}}};

class Pick final : public Verb {
 public:
  void declare(Options& options) override {
    options.flag(rotten_, "--rotten", "Pick a rotten one");
    options.values(trees_, "-t,--tree", "TREE", "Pick from this tree");
    options.number(most_, "--most", "N", 1, 9, "Pick no more");
    options.choice(colour_, "--colour", {"red", "green"}, "The colour");
    options.operand(basket_, "BASKET", "Where to");
    options.optional_operands(files_, "FILE", "Lists of names");
    options.exclude("--rotten", "--most");
  }
  ExitStatus run(Output& output) override {
    if (basket_ == "none") throw Error(Code::internal, "there is no basket", "take one along");
    if (basket_ == "odd") throw std::runtime_error("odd things happen");
    Report report;
    report.add_table(kFruits);
    for (const std::string& tree : trees_) report.add_row({Cell::text(tree + colour_)});
    for (const std::string& file : files_) report.add_row({Cell::text(file)});
    output.put(report);
    return rotten_ ? ExitStatus::failed : ExitStatus::done;
  }

 private:
  bool rotten_ = false;
  std::vector<std::string> trees_;
  std::optional<std::int64_t> most_;
  std::string colour_;
  std::string basket_;
  std::vector<std::string> files_;
};

Application fruit() {
  return {.name = "fruit",
          .summary = "Pick fruit",
          .about = "",
          .examples = "fruit pick basket",
          .verbs = {{"pick",
                     "Pick some",
                     "Ripe ones first.",
                     "fruit pick --tree a-b basket",
                     {&kFruits},
                     make_verb<Pick>}},
          .environment = {{"LADDER", "A ladder."}},
          .exit_statuses = {{"0", "Done."}},
          .completions = {{"TREE", "echo apple"}}};
}

struct Ended {
  int status = 0;
  std::string out;
  std::string err;
};

Ended run_fruit(std::vector<const char*> arguments, const Application& application = fruit()) {
  arguments.insert(arguments.begin(), "fruit");
  CaptureStdout();
  CaptureStderr();
  Ended ended;
  ended.status = app::run(application, static_cast<int>(arguments.size()), arguments.data());
  ended.out = GetCapturedStdout();
  ended.err = GetCapturedStderr();
  return ended;
}

TEST(Application, RunsTheVerbWithItsArguments) {
  const Ended ended =
      run_fruit({"pick", "-t", "a", "basket", "--tree=b", "--colour", "red", "one", "two"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.out, "NAME\nared\nbred\none\ntwo\n");
  EXPECT_EQ(ended.err, "");
}

TEST(Application, ShowsTheHelpAlsoByAWord) {
  EXPECT_EQ(run_fruit({"help"}).out, run_fruit({"--help"}).out);
  EXPECT_EQ(run_fruit({"help"}).status, 0);
  EXPECT_EQ(run_fruit({"help", "pick"}).out, run_fruit({"pick", "--help"}).out);
  const Ended wrong = run_fruit({"help", "pik"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("there is no verb \"pik\"; did you mean \"pick\"?"));
}

TEST(Application, TakesTheNameOfAVerbForAnOperandBehindAnother) {
  Application application = fruit();
  application.verbs.push_back(application.verbs[0]);
  application.verbs[1].name = "eat";
  EXPECT_EQ(run_fruit({"pick", "eat", "pick", "completion"}, application).out,
            "NAME\npick\ncompletion\n");
}

TEST(Application, TakesTheLastOfTwoValues) {
  EXPECT_EQ(run_fruit({"pick", "-t", "a", "--colour", "red", "--colour", "green", "basket"}).out,
            "NAME\nagreen\n");
}

TEST(Application, PrintsJsonOnDemand) {
  EXPECT_EQ(run_fruit({"pick", "--json", "-t", "a", "basket"}).out,
            "{\n  \"fruits\": [\n    {\"name\":\"a\"}\n  ]\n}\n");
}

TEST(Application, EndsWith1IfTheVerbFoundSomething) {
  EXPECT_EQ(run_fruit({"pick", "--rotten", "basket"}).status, 1);
}

TEST(Application, SaysOnStderrWhatFailedAndWhatMendsIt) {
  const Ended ended = run_fruit({"pick", "none"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err, "fruit: there is no basket\n  take one along\n");
  EXPECT_EQ(run_fruit({"pick", "odd"}).err, "fruit: odd things happen\n");
}

TEST(Application, AVerbMayHaveAStatusOfItsOwnForFailures) {
  Application application = fruit();
  application.verbs[0].failure_status = ExitStatus::usage;
  EXPECT_EQ(run_fruit({"pick", "none"}, application).status, 2);
  EXPECT_EQ(run_fruit({"pick", "odd"}, application).status, 2);
  EXPECT_EQ(run_fruit({"pick", "--rotten", "basket"}, application).status, 1);
}

TEST(Application, EndsWith2IfItIsCalledWrongly) {
  for (const auto& arguments :
       std::vector<std::vector<const char*>>{{"pick"},
                                             {"pick", "--no-such", "basket"},
                                             {"pick", "--tree"},
                                             {"pick", "--most", "10", "basket"},
                                             {"pick", "--most", "many", "basket"},
                                             {"pick", "--colour", "blue", "basket"},
                                             {"pick", "--rotten", "--most", "3", "basket"}}) {
    const Ended ended = run_fruit(arguments);
    EXPECT_EQ(ended.status, 2) << arguments.back();
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr("try: fruit pick --help\n"));
  }
}

TEST(Application, NamesTheVerbThatWasMeant) {
  const Ended ended = run_fruit({"pik"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("there is no verb \"pik\"; did you mean \"pick\"?"));
}

TEST(Application, ShowsItsHelpOnStderrIfNoVerbIsGiven) {
  const Ended ended = run_fruit({});
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("usage: fruit VERB"));
}

TEST(Application, MayAnswerWithItsHelpIfNoVerbIsGiven) {
  Application application = fruit();
  application.may_lack_verb = true;
  const Ended ended = run_fruit({}, application);
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out, HasSubstr("usage: fruit VERB"));
}

TEST(Application, MayHaveAnotherStatusForWrongCalls) {
  Application application = fruit();
  application.usage_status = ExitStatus::failed;
  EXPECT_EQ(run_fruit({"no-such-verb"}, application).status, 1);
  EXPECT_EQ(run_fruit({"pick"}, application).status, 2);
  application.verbs[0].usage_status = ExitStatus::failed;
  EXPECT_EQ(run_fruit({"pick"}, application).status, 1);
}

TEST(Application, HelpsWithAVerb) {
  const Ended ended = run_fruit({"pick", "--help"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.out,
            "usage: fruit pick [OPTION...] BASKET [FILE...]\n"
            "\n"
            "Pick some.\n"
            "\n"
            "Ripe ones first.\n"
            "\n"
            "arguments:\n"
            "  BASKET                  Where to\n"
            "  FILE...                 Lists of names\n"
            "\n"
            "options:\n"
            "  -h, --help              Show this text\n"
            "  --rotten                Pick a rotten one\n"
            "  -t, --tree TREE         Pick from this tree\n"
            "  --most N                Pick no more\n"
            "  --colour red|green      The colour\n"
            "  --json                  Print JSON instead of a table\n"
            "\n"
            "examples:\n"
            "  fruit pick --tree a-b basket\n");
}

TEST(Application, HelpsWithTheWhole) {
  EXPECT_THAT(run_fruit({"--help"}).out,
              AllOf(HasSubstr("\nverbs:\n  pick "), HasSubstr("\nenvironment:\n  LADDER "),
                    HasSubstr("\nexit status:\n  0 "), HasSubstr("\nexamples:\n  fruit pick")));
}

TEST(Application, SaysWhoseItIs) {
  EXPECT_EQ(run_fruit({"--version"}).out, "unicni fruit " UNICNI_VERSION "\n");
}

TEST(Application, HasAManual) {
  const std::string page = run_fruit({"--man-page"}).out;
  EXPECT_THAT(page, AllOf(HasSubstr(".TH FRUIT 1"),
                          HasSubstr(".SS \\fBfruit\\fR \\fBpick\\fR [OPTION...] BASKET [FILE...]"),
                          HasSubstr(".TP\n\\fB\\-t, \\-\\-tree TREE\\fR\nPick from this tree.\n"),
                          HasSubstr(".TP\n\\fBname\\fR\nstring: what it is called\n"),
                          HasSubstr("fruit pick \\-\\-tree a\\-b basket")));
}

}  // namespace
}  // namespace unicni::app::application_test
