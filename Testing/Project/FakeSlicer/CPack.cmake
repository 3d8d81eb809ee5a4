# Slicer makes the package here and stops when the extension does not describe itself.
foreach(_field HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS
    LICENSE_FILE README_FILE)
  if("${EXTENSION_${_field}}" STREQUAL "")
    message(FATAL_ERROR "EXTENSION_${_field} is empty")
  endif()
endforeach()
foreach(_field LICENSE_FILE README_FILE)
  if(NOT EXISTS "${EXTENSION_${_field}}")
    message(FATAL_ERROR "EXTENSION_${_field} names a missing file: ${EXTENSION_${_field}}")
  endif()
endforeach()
