// The unwinder is linked into the executable (libgcc_eh.a), where its symbols are hidden. Compiled
// code names two of them by itself: _Unwind_Resume, at the end of a clean-up, and
// __gcc_personality_v0, which finds the clean-ups of C and, where GCC optimises at link time, of
// all functions that catch nothing. Modules are linked with --wrap for both
// (cmake/moduleLibrary.cmake), which turns them into those of this file. The frame in between is as
// good as any other: it has nothing to clean up.
#include <unwind.h>

// NOLINTBEGIN(bugprone-reserved-identifier): ld(1) and GCC make the names
extern "C" {
[[noreturn]] void __wrap__Unwind_Resume(_Unwind_Exception* exception);
_Unwind_Reason_Code __gcc_personality_v0(int version, _Unwind_Action actions,
                                         _Unwind_Exception_Class kind, _Unwind_Exception* exception,
                                         _Unwind_Context* context);
_Unwind_Reason_Code __wrap___gcc_personality_v0(int version, _Unwind_Action actions,
                                                _Unwind_Exception_Class kind,
                                                _Unwind_Exception* exception,
                                                _Unwind_Context* context);
}

void __wrap__Unwind_Resume(_Unwind_Exception* exception) {
  _Unwind_Resume(exception);
  __builtin_unreachable();  // unwind.h doesn't say that it never returns
}

_Unwind_Reason_Code __wrap___gcc_personality_v0(int version, _Unwind_Action actions,
                                                _Unwind_Exception_Class kind,
                                                _Unwind_Exception* exception,
                                                _Unwind_Context* context) {
  return __gcc_personality_v0(version, actions, kind, exception, context);
}
// NOLINTEND(bugprone-reserved-identifier)
