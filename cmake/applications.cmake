# unicni_application(<target> [TOOLS])
# A program for people from the *.cc of the current folder, on libunicni.so and, with TOOLS, the units of that group. It is
# installed into bin, with the completion for bash and the manual that it prints about itself, in the folders where bash
# and man look. Call it in a folder that comes after core.
function(unicni_application target)
  cmake_parse_arguments(APPLICATION "TOOLS" "" "" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  add_executable(${target} ${sources})
  target_link_libraries(${target} PRIVATE unicni_app)
  # The objects, not the archives: those would bring libunicni's own units along, which the library has.
  set(units "")
  if(APPLICATION_TOOLS)
    get_property(units GLOBAL PROPERTY UNICNI_UNITS_tools)
  endif()
  foreach(unit ${units})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${unit}>)
    get_target_property(libraries ${unit} LINK_LIBRARIES)
    list(FILTER libraries EXCLUDE REGEX "^unicni_")
    target_link_libraries(${target} PRIVATE -Wl,--as-needed ${libraries})
  endforeach()
  # An installed tree may be moved as a whole.
  file(RELATIVE_PATH library ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/${library}")
  install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  if(UNICNI_SANITIZE)  # whose programs do more at their ends than a build should depend on
    return()
  endif()
  foreach(page completion man)
    set(arguments_completion completion bash)
    set(arguments_man --man-page)
    set(file ${CMAKE_CURRENT_BINARY_DIR}/${target}.${page})
    add_custom_command(TARGET ${target} POST_BUILD
      COMMAND ${target} ${arguments_${page}} > ${file} BYPRODUCTS ${file})
  endforeach()
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${target}.completion
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ${target})
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${target}.man DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME ${target}.1)
endfunction()
