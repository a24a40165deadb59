include(${CMAKE_CURRENT_LIST_DIR}/exports.cmake)
set(UNICNI_INCLUDE_DIR ${PROJECT_SOURCE_DIR}/core/include)
include(${CMAKE_CURRENT_LIST_DIR}/moduleLibrary.cmake)
if(UNICNI_LIBSTDCXX STREQUAL "host")
  unicni_write_exports(${CMAKE_BINARY_DIR}/exports.list)
endif()

# unicni_add_module(<name> [VERSION <text>])
# A module from the *.cc of the current folder (but *_test.cc): <name>.so, loaded by the executable. The file name, the
# folder and the "type" in a netconf are the same word. A module links neither libunicni nor libstdc++: the executable
# exports both, so that there is one copy of each (core/DECISIONS.md, "link model"). VERSION is the module's own; those
# of this project have the project's. Its objects are module_<name>_objects, which its tests and tools/docs link.
function(unicni_add_module name)
  cmake_parse_arguments(MODULE "" "VERSION" "" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  add_library(module_${name}_objects OBJECT ${sources})
  set_target_properties(module_${name}_objects PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_include_directories(module_${name}_objects PRIVATE ${PROJECT_SOURCE_DIR}/core/include)
  if(MODULE_VERSION)
    target_compile_definitions(module_${name}_objects PRIVATE UNICNI_MODULE_VERSION="${MODULE_VERSION}")
  endif()
  unicni_module_library(module_${name} ${name} $<TARGET_OBJECTS:module_${name}_objects>)
  set_target_properties(module_${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/modules)
  install(TARGETS module_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/unicni/modules)
  install(CODE "
    file(CREATE_LINK unicni \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBEXECDIR}/cni/${name}\" SYMBOLIC)")
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/conformance.json)
    install(FILES conformance.json DESTINATION ${CMAKE_INSTALL_DATADIR}/unicni/conformance RENAME ${name}.json)
  endif()
  set_property(GLOBAL APPEND PROPERTY UNICNI_MODULES ${name})
  if(UNICNI_TESTS AND tests)
    unicni_test(${name}_test SOURCES ${tests} $<TARGET_OBJECTS:module_${name}_objects> LINK unicni_core)
    target_include_directories(${name}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
endfunction()

# unicni_host_program(<target> [GROUP application] [WITHOUT <regex>])
# Makes an executable a host of modules: it holds the units of the group hot, with GROUP those of that one as well, and
# all of libstdc++, and exports both; with WITHOUT not the object files of libunicni that match. Call it in a folder that
# comes after core.
function(unicni_host_program target)
  cmake_parse_arguments(HOST "" "WITHOUT;GROUP" "" ${ARGN})
  get_property(units GLOBAL PROPERTY UNICNI_UNITS_hot)
  if(HOST_GROUP)
    get_property(others GLOBAL PROPERTY UNICNI_UNITS_${HOST_GROUP})
    list(APPEND units ${others})
  endif()
  # The objects themselves, since of an archive the linker takes only what the program uses; the archives are linked for
  # their include folders and the libraries that they need.
  foreach(unit ${units})
    set(objects $<TARGET_OBJECTS:${unit}>)
    if(HOST_WITHOUT)
      set(objects $<FILTER:${objects},EXCLUDE,${HOST_WITHOUT}>)
    endif()
    target_sources(${target} PRIVATE ${objects})
  endforeach()
  target_link_libraries(${target} PRIVATE ${units})
  if(UNICNI_LIBSTDCXX STREQUAL "host")
    # Each library that the loader maps costs 0.06 to 0.5 ms of every call, so none but libc is shared (libmnl, which
    # libnftnl needs, only where exec/libmnl.cc lacks a function).
    # Of libm only what the CPU doesn't choose can be static: if the linker misses _dl_x86_cpu_features, something that
    # was inlined before (ceil, trunc …) has become a call.
    target_link_options(${target} PRIVATE
      -nodefaultlibs -Wl,--whole-archive -l:libstdc++.a -Wl,--no-whole-archive
      -Wl,--dynamic-list=${CMAKE_BINARY_DIR}/exports.list -Wl,--dynamic-list=${CMAKE_BINARY_DIR}/own_exports.list)
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS
                 ${CMAKE_BINARY_DIR}/exports.list ${CMAKE_BINARY_DIR}/own_exports.list)
    add_dependencies(${target} unicni_own_exports)
    target_link_libraries(${target} PRIVATE
      -Wl,--as-needed $<IF:$<CONFIG:Release>,-l:libm.a,-lm> gcc gcc_eh c gcc)
  else()
    set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
    target_link_options(${target} PRIVATE -Wl,--export-dynamic)
  endif()
endfunction()
