# unicni_write_exports(<file>)
# What an executable that hosts modules exports, as a list for the linker (ld(1), --dynamic-list): all that the shared
# libstdc++ would, libunicni's own names, and what modules need of fmt (core/src/base/fmt.cc). Without
# a list the templates that core happens to instantiate are exported as well, a tenth of the executable.
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
  string(CONCAT own "_ZN6unicni*;\n_ZNK6unicni*;\n_ZNKR6unicni*;\n_ZT[ISV]N6unicni*;\n"
                    "_ZN3fmt*7vformat*;\n__wrap__Unwind_Resume;\n")
  file(CONFIGURE OUTPUT ${file} CONTENT "{\n${own}${symbols}};\n" @ONLY)
endfunction()
