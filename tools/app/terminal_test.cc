#include "app/terminal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "unicni/sys/fd.h"

namespace unicni::app::terminal_test {
namespace {

using ::testing::ElementsAre;

/// A terminal of its own, and an environment without a will.
class ATerminal : public ::testing::Test {
 protected:
  ATerminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    ::grantpt(master_.get());
    ::unlockpt(master_.get());
    slave_ = sys::Fd(::open(::ptsname(master_.get()), O_RDWR | O_NOCTTY));
    const winsize size{24, 77, 0, 0};
    ::ioctl(slave_.get(), TIOCSWINSZ, &size);
    ::unsetenv("NO_COLOR");
    ::unsetenv("COLUMNS");
    ::setenv("TERM", "xterm", 1);
  }
  [[nodiscard]] int fd() const { return slave_.get(); }

 private:
  sys::Fd master_;
  sys::Fd slave_;
};

TEST_F(ATerminal, TellsItsWidthAndHasColours) {
  const Terminal terminal = Terminal::of(fd());
  EXPECT_EQ(terminal.columns, 77U);
  EXPECT_TRUE(terminal.has_colours);
}

TEST_F(ATerminal, HasNoColoursWithNoColor) {
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(Terminal::of(fd()).has_colours);
  ::setenv("NO_COLOR", "", 1);  // as if it weren't set
  EXPECT_TRUE(Terminal::of(fd()).has_colours);
}

TEST_F(ATerminal, HasNoColoursIfItIsDumb) {
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(Terminal::of(fd()).has_colours);
}

TEST_F(ATerminal, IsAsWideAsColumnsSays) {
  ::setenv("COLUMNS", "50", 1);
  EXPECT_EQ(Terminal::of(fd()).columns, 50U);
  ::setenv("COLUMNS", "3", 1);
  EXPECT_EQ(Terminal::of(fd()).columns, 20U);
  ::setenv("COLUMNS", "wide", 1);
  EXPECT_EQ(Terminal::of(fd()).columns, 77U);
}

TEST_F(ATerminal, IsNoFile) {
  const sys::Fd file(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(Terminal::of(file.get()).columns, 0U);
  EXPECT_FALSE(Terminal::of(file.get()).has_colours);
}

TEST(Printable, KeepsTextAndEscapesTheRest) {
  EXPECT_EQ(printable("grün – ok\n"), "grün – ok\n");
  EXPECT_EQ(printable("\x1b]0;x\x07"), "\\x1b]0;x\\x07");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");  // CSI of C1
  EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");  // cut off
}

TEST(Wrapped, BreaksAtBlanksThenBehindMarksThenAnywhere) {
  EXPECT_THAT(wrapped("one two three", 8), ElementsAre("one two", "three"));
  EXPECT_THAT(wrapped("/usr/local/lib", 8), ElementsAre("/usr/", "local/", "lib"));
  EXPECT_THAT(wrapped("abcdefghij", 4), ElementsAre("abcd", "efgh", "ij"));
  EXPECT_THAT(wrapped("üüüüü", 3), ElementsAre("üüü", "üü"));
}

TEST(Wrapped, KeepsLineBreaks) {
  EXPECT_THAT(wrapped("a\n\nb", 8), ElementsAre("a", "", "b"));
  EXPECT_THAT(wrapped("", 8), ElementsAre(""));
}

}  // namespace
}  // namespace unicni::app::terminal_test
