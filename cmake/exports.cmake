# unicni_write_exports(<file>)
# What an executable that hosts modules exports beside libunicni's own names, as a list for the linker (ld(1),
# --dynamic-list): all that the shared libstdc++ would, and what modules need of fmt (core/src/base/fmt.cc). Without a
# list the templates that core happens to instantiate are exported as well, a tenth of the executable.
function(unicni_write_exports file)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libstdc++.so
                  OUTPUT_VARIABLE library OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${CMAKE_NM} --dynamic --defined-only --format=posix ${library}
                  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  # "name@@version type value size" a line; type A are the versions themselves.
  string(REGEX REPLACE "[^\n]+ A [^\n]*\n" "" symbols "${symbols}")
  string(REGEX REPLACE "([^@ \n]+)[^\n]*\n" "\"\\1\";\n" symbols "${symbols}")
  if(NOT symbols MATCHES "\"_Znwm\";")
    message(FATAL_ERROR "${CMAKE_NM} finds no symbols in ${library}")
  endif()
  file(CONFIGURE OUTPUT ${file} CONTENT "{\n_ZN3fmt*7vformat*;\n__wrap__Unwind_Resume;\n__wrap___gcc_personality_v0;\n${symbols}};\n" @ONLY)
endfunction()

# unicni_write_own_exports(<file> <target>...)
# libunicni's own names that these libraries define, as another such list; made by the build, when they are.
function(unicni_write_own_exports file)
  set(script ${PROJECT_SOURCE_DIR}/cmake/own_exports.sh)
  set(archives ${ARGN})
  list(TRANSFORM archives REPLACE "(.+)" "$<TARGET_FILE:\\1>")
  add_custom_command(OUTPUT ${file} DEPENDS ${script} ${ARGN} ${PROJECT_SOURCE_DIR}/core/layers.txt
    COMMAND ${script} ${CMAKE_NM} ${file} ${PROJECT_SOURCE_DIR}/core/include ${PROJECT_SOURCE_DIR}/core/layers.txt ${archives}
    VERBATIM COMMENT "List what executables export of libunicni")
  add_custom_target(unicni_own_exports DEPENDS ${file})
endfunction()
