// The spawner: a small process beside a program that uses the library. The programs that it starts
// are its children and not the program's, whose own handling of SIGCHLD would take their ends away.
#pragma once

namespace unicni::spawner {

/// What the executable does when it is called with kArgument: serves what kControlFd asks for,
/// until the program says kQuit or is gone and the last plugin has ended. Returns main()'s status;
/// 2: nobody who can use it has called it.
int serve() noexcept;

}  // namespace unicni::spawner
