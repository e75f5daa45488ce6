// std::ios_base_library_init() of GLIBCXX_3.4.32. An older libstdc++ initialises its streams by itself, so nothing is left to do.
void _ZSt21ios_base_library_initv(void) {}
