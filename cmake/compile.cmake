# Compiler settings that everything shares.
# Dev: quick to compile; the kernel's part decides how long tests take.
set(CMAKE_CXX_FLAGS_DEV "-O0 -g1")
set(CMAKE_C_FLAGS_DEV "-O0 -g1")
# Release: a call lives for milliseconds and runs each line about once, so fewer pages to map gain more than faster code.
set(CMAKE_CXX_FLAGS_RELEASE "-Os -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-Os -DNDEBUG")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow $<$<COMPILE_LANGUAGE:CXX>:-Wconversion>)
# GCC 12 sees overlaps in std::string::operator+ that aren't there (GCC bug 105651).
add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>)
if(UNICNI_WERROR)
  add_compile_options(-Werror)
endif()
add_compile_options(-fstack-protector-strong -ffunction-sections -fdata-sections)
# Fewer segments are fewer mappings and page faults of every call; -O2 makes the symbol hash tables fit the look-ups.
add_link_options(-Wl,-z,relro,-z,now,-z,noseparate-code,-O2)
# By which the executable knows copies of itself (core/src/module/build_id.h), so it is a hash of the content.
add_link_options(-Wl,--build-id=sha1)
include(CheckLinkerFlag)
check_linker_flag(CXX -Wl,-z,pack-relative-relocs UNICNI_PACKS_RELOCATIONS)  # read by glibc from 2.36 on
if(UNICNI_PACKS_RELOCATIONS)
  add_link_options(-Wl,-z,pack-relative-relocs)
endif()
if(UNICNI_SANITIZE)
  add_compile_options(-fsanitize=${UNICNI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${UNICNI_SANITIZE})
  # What the sanitizers write down of each check is 60 MB of pointers, which a program at a fixed address needn't relocate
  # at each start.
  if(UNICNI_SANITIZE MATCHES "undefined" AND NOT UNICNI_FUZZ)
    add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-no-pie>)
  endif()
else()
  add_link_options(-Wl,--gc-sections)
endif()

# ccache, if there is one; the sloppiness is what precompiled headers need. Paths below this checkout count as relative
# ones, so that a second checkout (CI's clean clone, a work tree) finds what the first has compiled.
find_program(UNICNI_CCACHE ccache)
if(UNICNI_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${UNICNI_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER
      env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
          CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${UNICNI_CCACHE})
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
endif()

# Where libstdc++ lives (core/DECISIONS.md, "link model"). "host": whole in the executable, which exports it to the
# modules. Sanitizers need the shared one.
if(UNICNI_SANITIZE OR UNICNI_FUZZ)
  set(UNICNI_LIBSTDCXX "shared")
else()
  set(UNICNI_LIBSTDCXX "host")
endif()
add_compile_definitions(UNICNI_LIBSTDCXX="${UNICNI_LIBSTDCXX}" UNICNI_VERSION="${PROJECT_VERSION}")

include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBNL REQUIRED libnl-3.0)
find_library(LIBNL_STATIC_LIB NAMES libnl-3.a REQUIRED)
pkg_check_modules(LIBNFTNL REQUIRED libnftnl)
find_library(LIBNFTNL_STATIC_LIB NAMES libnftnl.a REQUIRED)
pkg_check_modules(LIBMNL REQUIRED IMPORTED_TARGET libmnl)  # which libnftnl needs
pkg_check_modules(YAML_CPP REQUIRED IMPORTED_TARGET yaml-cpp)  # tools only, never the executable
