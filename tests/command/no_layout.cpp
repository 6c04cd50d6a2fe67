// A Graphviz that fails: preloaded, it takes the place of the function that lays out a graph.
extern "C" int gvLayout(void*, void*, const char*) {
  return -1;
}
