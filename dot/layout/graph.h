// A Scene as a Graphviz graph: a box is a node, a frame a cluster, a link an edge.
//
// cgraph keeps global state: call these in one thread of a process only (dot/layout/layout.h makes such a process).
#pragma once

#include <graphviz/cgraph.h>

#include <map>
#include <string>
#include <vector>

#include "dot/scene/scene.h"

namespace gradscan {

struct SceneGraph {
  Agraph_t* root = nullptr;
  std::map<std::string, Agnode_t*> boxes;   // by id
  std::map<std::string, Agraph_t*> frames;  // by id
  std::vector<Agedge_t*> links;             // in the order of Scene::links; nullptr: left out
};

// For layout: boxes as large as size_of() says, without a word in them. `narrow`: links that are only_narrow count. The graph is
// never closed: it lives as long as its process.
SceneGraph make_graph(const Scene& scene, bool narrow);

// For people: with all words, colours (the light ones) and the legend as text, as cgraph writes and escapes it. Graphviz gives
// boxes the room that their words take.
std::string write_dot(const Scene& scene);

}  // namespace gradscan
