# unicni_add_module(<name> [VERSION <text>] [SOURCES <file>...])
# A module of another project: <name>.so from the *.cc of the current folder (but *_test.cc), or from SOURCES. The file
# name and the "type" in a netconf are the same word. VERSION is the module's own. It is installed into the folder of
# modules of the prefix, and its conformance.json, if there is one, where unictl finds it. Compiler (GCC 12 or Clang 14, or
# newer) and build type are the project's.
function(unicni_add_module name)
  cmake_parse_arguments(MODULE "" "VERSION" "SOURCES" ${ARGN})
  if(NOT MODULE_SOURCES)
    file(GLOB MODULE_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
    list(FILTER MODULE_SOURCES EXCLUDE REGEX "_test\\.cc$")
  endif()
  unicni_module_library(${name} ${name} ${MODULE_SOURCES})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_definitions(${name} PRIVATE
    UNICNI_LIBSTDCXX="${UNICNI_LIBSTDCXX}" UNICNI_VERSION="${unicni_VERSION}")
  if(MODULE_VERSION)
    target_compile_definitions(${name} PRIVATE UNICNI_MODULE_VERSION="${MODULE_VERSION}")
  endif()
  target_link_options(${name} PRIVATE -Wl,-z,relro,-z,now)
  install(TARGETS ${name} LIBRARY DESTINATION lib/unicni/modules)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/conformance.json)
    install(FILES conformance.json DESTINATION share/unicni/conformance RENAME ${name}.json)
  endif()
endfunction()
