# What Debian hardens its packages with (dpkg-buildflags, hardening=+all), however what is installed is built: some programs
# are root's, and others parse what strangers wrote. The rest of it, position independent programs, is the compiler's default.
# Daily work and ./demo, which have precompiled headers, do without.
if(LEFT4ME_PRECOMPILED_HEADERS)
  return()
endif()
include(CheckCXXCompilerFlag)
set(left4me_hardening -fstack-protector-strong -Wformat -Werror=format-security)
foreach(flag stack-clash-protection cf-protection)
  check_cxx_compiler_flag(-f${flag} LEFT4ME_HAS_${flag})
  if(LEFT4ME_HAS_${flag})
    list(APPEND left4me_hardening -f${flag})
  endif()
endforeach()
# Checks of buffers need an optimizer.
add_compile_options("$<$<NOT:$<CONFIG:Debug>>:${left4me_hardening}>")
add_compile_definitions($<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
add_link_options($<$<NOT:$<CONFIG:Debug>>:-Wl,-z,relro>)
add_link_options($<$<NOT:$<CONFIG:Debug>>:-Wl,-z,now>)
