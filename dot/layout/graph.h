// A Scene as a Graphviz graph: a box is a node, a frame a cluster, a link an edge.
//
// cgraph keeps global state: call these functions in only one thread of a process (dot/layout/layout.h starts such a process).
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

// For layout: boxes of the sizes in sizes.h, without text. `narrow`: includes links that are only_narrow. The graph is never
// closed; it lives as long as its process.
SceneGraph make_graph(const Scene& scene, bool narrow);

// For people: with all text, the light colours and the legend as text, as cgraph writes and escapes it. Graphviz sizes boxes to
// fit their text.
std::string write_dot(const Scene& scene);

}  // namespace gradscan
