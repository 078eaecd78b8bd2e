// What cmake/precompiled.cmake needs to precompile headers: a file that uses them.
