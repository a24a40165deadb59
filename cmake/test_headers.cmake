# The precompiled headers of all tests, made once each (unicni_quick_to_compile in units.cmake): GoogleTest, and for the
# tests of the installed executable JSON as well. <netinet/in.h> because the kernel's headers of the same structures
# give way to it if they come later, not if they come before.
function(unicni_headers name)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cc)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE "SHELL:-iquote ${PROJECT_SOURCE_DIR}/tools")
  target_link_libraries(${name} PRIVATE GTest::gmock GTest::gtest)
  target_precompile_headers(${name} PRIVATE <netinet/in.h> <gmock/gmock.h> <gtest/gtest.h> ${ARGN})
endfunction()
unicni_headers(unicni_test_headers)
unicni_headers(unicni_json_test_headers ${PROJECT_SOURCE_DIR}/tests/support/json.h)
