// The unwinder is linked into the executable (libgcc_eh.a), where its symbols are hidden. The only
// one that compiled C++ calls by itself is _Unwind_Resume, at the end of a clean-up; modules are
// linked with --wrap=_Unwind_Resume (cmake/modules.cmake), which turns that call into one of this.
// The frame in between is as good as any other: it has nothing to clean up.
#include <unwind.h>

// NOLINTNEXTLINE(bugprone-reserved-identifier): ld(1) makes the name
extern "C" [[noreturn]] void __wrap__Unwind_Resume(_Unwind_Exception* exception);

// NOLINTNEXTLINE(bugprone-reserved-identifier)
void __wrap__Unwind_Resume(_Unwind_Exception* exception) {
  _Unwind_Resume(exception);
  __builtin_unreachable();  // unwind.h doesn't say that it never returns
}
