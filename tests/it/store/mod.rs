//! Tests of `store` from outside.

mod battery;
mod crash;
mod damage;
mod fault;
mod full;
mod indexes;
mod kill;
mod make;
mod restore;
mod sealed;
