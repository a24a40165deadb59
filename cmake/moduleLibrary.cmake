# unicni_module_library(<target> <name> <source>...)
# The shared object alone, without install rules: what unicni_add_module, in this project and outside of it, and the test
# fixtures build on. It needs UNICNI_INCLUDE_DIR, where unicni/module.h is, and UNICNI_LIBSTDCXX, where libstdc++ is.
function(unicni_module_library target name)
  add_library(${target} MODULE ${ARGN})
  string(REPLACE "-" "_" symbol ${name})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name} PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINKER_LANGUAGE CXX)  # with C, CMake adds -lstdc++ for objects made from C++
  target_include_directories(${target} PRIVATE ${UNICNI_INCLUDE_DIR})
  set(script ${CMAKE_CURRENT_BINARY_DIR}/${target}.map)
  file(WRITE ${script} "{ global: unicni_module_${symbol}; local: *; };\n")
  # -lgcc has the compiler's own helpers; everything else of C++ comes from the executable.
  target_link_options(${target} PRIVATE -nodefaultlibs -Wl,--version-script=${script} -Wl,--gc-sections -Wl,--as-needed)
  target_link_libraries(${target} PRIVATE -lm -lc -lgcc)  # a module may be called "c"
  if(UNICNI_LIBSTDCXX STREQUAL "host")
    target_link_options(${target} PRIVATE  # core/src/module/unwind.cc
      -Wl,--wrap=_Unwind_Resume -Wl,--wrap=__gcc_personality_v0)
  endif()
  if(UNICNI_SANITIZE)
    target_link_options(${target} PRIVATE -fno-sanitize=all)
  endif()
endfunction()
