//! Whatever a tree holds, an answer comes, and what it asks for is there.
