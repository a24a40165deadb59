# How programs of others find what is installed: find_package(unicni) and pkg-config. Both work from wherever the
# prefix has been moved to.
include(CMakePackageConfigHelpers)

install(EXPORT unicni FILE unicniTargets.cmake NAMESPACE unicni:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/unicni)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/unicniConfig.cmake.in ${CMAKE_BINARY_DIR}/unicniConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/unicni
                              PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
# 0.x: the next minor version may have another interface.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/unicniConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/unicniConfig.cmake ${CMAKE_BINARY_DIR}/unicniConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/moduleLibrary.cmake ${CMAKE_CURRENT_LIST_DIR}/addModule.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/unicni)

file(RELATIVE_PATH UNICNI_PREFIX_FROM_PKGCONFIG ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${CMAKE_CURRENT_LIST_DIR}/unicni.pc.in ${CMAKE_BINARY_DIR}/unicni.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/unicni.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
