// A program without C++'s library that opens a plug-in of its own, user_main.cc linked with
// libunicni.so, and keeps its names to itself: as interpreters do.
//
// usage: opener PLUG-IN ARGUMENT...
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  void* plug_in = ::dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  void* run = plug_in == nullptr ? nullptr : ::dlsym(plug_in, "run_user");
  if (run == nullptr) {
    ::printf("%s\n", ::dlerror());
    return 1;
  }
  return reinterpret_cast<int (*)(int, char**)>(run)(argc - 1, argv + 1);
}
