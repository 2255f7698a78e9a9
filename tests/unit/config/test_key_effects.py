"""Every key of the configuration has an effect that a test shows.

The table names that test for each key; a key without an entry fails here. Keys that have no effect yet are not in it:
test_notices.py shows that each of them says so.
"""

from __future__ import annotations

import re

import pytest

from orchestrator.config.keys import every_key
from tests.support.paths import ROOT

EFFECTS = {
    "update.enabled": "test_where_checks_are_switched_off_the_source_is_never_asked",
    "update.source": "test_a_problem_is_told_in_one_line",
    "update.version_scheme": "test_tags_are_ordered_by_the_scheme_that_is_set",
    "update.git.remote": "test_a_repository_that_does_not_exist_is_named",
    "update.git.branch": "test_a_branch_that_does_not_exist_is_named",
    "update.git.tags": "test_of_tags_the_newest_version_is_followed_whatever_the_branches_do",
    "update.git.version_range": "test_of_tags_only_those_of_the_range_are_followed",
    "update.git.path": "test_the_image_is_built_as_the_build_keys_say",
    "update.git.token_file": "test_a_private_repository_is_fetched_with_a_token_and_without_it_not",
    "update.git.key_file": "test_a_repository_is_fetched_with_a_key_that_leaves_no_copy",
    "update.git.known_hosts_file": "test_a_server_that_nobody_has_vouched_for_is_not_asked",
    "update.git.submodules": "test_submodules_and_theirs_are_built_at_exactly_their_commits",
    "update.git.lfs": "test_a_file_in_lfs_is_built_instead_of_its_pointer",
    "update.git.signed_by": "test_what_nobody_allowed_has_signed_is_neither_offered_nor_built",
    "update.git.auto_fetch": "test_a_remote_that_only_people_ask_is_not_asked_in_the_background",
    "update.git.fetch_interval": "test_a_remote_is_not_asked_again_before_what_was_fetched_is_old",
    "update.pypi.package_name": "test_a_package_is_installed_updated_and_rolled_back_while_it_is_used",
    "update.pypi.index_url": "test_a_package_is_installed_updated_and_rolled_back_while_it_is_used",
    "update.pypi.credentials_file": (
        "test_a_private_index_is_asked_with_the_password_which_is_a_secret_and_in_no_file"
    ),
    "update.pypi.pre_release": "test_the_newest_version_is_that_of_pep_440",
    "update.pypi.version_range": "test_only_versions_of_the_range_are_offered",
    "update.pypi.command": "test_the_command_and_the_python_of_the_image_are_those_that_are_configured",
    "update.pypi.python": "test_a_version_for_another_python_is_not_offered",
    "update.url.manifest_url": "test_an_archive_is_deployed_updated_and_rolled_back_while_it_is_used",
    "update.url.download_url": "test_an_archive_is_deployed_updated_and_rolled_back_while_it_is_used",
    "update.url.version_range": "test_only_archives_of_the_range_are_offered",
    "update.url.public_key": "test_an_archive_is_deployed_updated_and_rolled_back_while_it_is_used",
    "update.registry.image": "test_what_a_tag_stands_for_is_deployed_by_its_digest_while_it_is_used",
    "update.registry.tag": "test_what_a_tag_stands_for_is_deployed_by_its_digest_while_it_is_used",
    "update.registry.version_range": "test_what_a_tag_stands_for_is_deployed_by_its_digest_while_it_is_used",
    "update.registry.username": "test_a_private_image_is_fetched_with_the_password_and_without_it_not",
    "update.registry.password_file": "test_a_private_image_is_fetched_with_the_password_and_without_it_not",
    "update.registry.cosign_key": "test_what_cosign_has_not_signed_with_the_key_is_neither_offered_nor_fetched",
    "update.registry.insecure": "test_what_a_tag_stands_for_is_deployed_by_its_digest_while_it_is_used",
    "update.check_on_startup": "test_without_a_check_at_the_start_the_first_comes_after_the_interval",
    "update.notify_on_update": "test_each_combination_of_the_keys_asks_and_tells_as_often_as_it_says",
    "update.auto_update": "test_what_a_check_finds_is_deployed_only_where_that_is_configured",
    "update.window.days": "test_a_window_is_open_by_the_clocks_of_its_zone",
    "update.window.from": "test_an_update_waits_for_its_window_says_so_and_is_installed_when_it_opens",
    "update.window.to": "test_an_update_waits_for_its_window_says_so_and_is_installed_when_it_opens",
    "update.window.timezone": "test_a_window_is_open_by_the_clocks_of_its_zone",
    "update.minimum_age": "test_a_version_that_is_too_young_is_offered_and_told_when_it_is_old_enough",
    "update.background_check.enabled": "test_without_background_checks_the_source_is_asked_at_the_start_only",
    "update.background_check.interval": "test_the_source_is_asked_again_after_each_interval",
    "update.background_check.notify": "test_each_combination_of_the_keys_asks_and_tells_as_often_as_it_says",
    "update.backup.create_before_update": "test_backups_and_migrations_of_an_update_are_as_configured",
    "update.backup.keep_backups": (
        "test_images_and_build_cache_beyond_the_configured_are_removed_and_what_a_rollback_needs_stays"
    ),
    "update.backup.backup_location": "test_backups_lie_in_the_folder_of_the_host_that_was_named",
    "update.migrations.enabled": "test_backups_and_migrations_of_an_update_are_as_configured",
    "update.migrations.auto_run": "test_migrations_that_must_be_asked_for_stop_the_update_and_run_when_asked_for",
    "update.migrations.backup_before_migration": "test_backups_and_migrations_of_an_update_are_as_configured",
    "update.rollback.enabled": "test_a_rollback_that_is_switched_off_is_refused",
    "update.rollback.auto_rollback_on_failure": (
        "test_where_it_is_asked_for_the_failed_candidate_stays_to_be_looked_at"
    ),
    "update.rollback.max_rollback_attempts": "test_an_undo_that_fails_is_tried_as_often_as_configured",
    "push.secret_file": "test_the_secret_is_written_into_the_file_that_is_named",
    "notify.url_file": "test_services_of_an_app_are_told_of_this_app_alone_and_a_url_in_two_files_once",
    "notify.on": "test_each_kind_is_told_to_those_who_asked_for_it_and_to_no_other",
    "disk.min_free_mb": "test_a_full_disk_refuses_the_deployment_and_says_what_to_do",
    "disk.keep_images": "test_images_and_build_cache_beyond_the_configured_are_removed_and_what_a_rollback_needs_stays",
    "disk.keep_output": "test_output_is_kept_for_as_many_deployments_as_configured",
    "disk.build_cache_mb": (
        "test_images_and_build_cache_beyond_the_configured_are_removed_and_what_a_rollback_needs_stays"
    ),
    "proxy.spare_backends": "test_the_proxy_has_as_many_spare_backends_as_configured",
    "public.panel.host": "test_the_panel_has_its_own_hosts_and_the_one_that_is_configured",
    "apps.NAME.build.dockerfile": "test_the_image_is_built_as_the_build_keys_say",
    "apps.NAME.build.context": "test_the_context_may_be_another_folder_than_that_of_the_dockerfile",
    "apps.NAME.build.target": "test_the_image_is_built_as_the_build_keys_say",
    "apps.NAME.build.args": "test_the_image_is_built_as_the_build_keys_say",
    "apps.NAME.build.secrets": "test_a_build_secret_is_a_file_that_the_builder_reads",
    "apps.NAME.build.timeout": "test_a_build_has_as_long_as_build_timeout_says",
    "apps.NAME.build.memory": "test_a_build_has_as_much_memory_as_configured",
    "apps.NAME.run.port": "test_the_container_runs_as_the_run_keys_say",
    "apps.NAME.run.command": "test_the_container_runs_as_the_run_keys_say",
    "apps.NAME.run.env": "test_the_container_runs_as_the_run_keys_say",
    "apps.NAME.run.env_file": "test_the_container_runs_as_the_run_keys_say",
    "apps.NAME.run.data": "test_the_container_runs_as_the_run_keys_say",
    "apps.NAME.run.memory": "test_the_container_runs_as_the_run_keys_say",
    "apps.NAME.run.pids": "test_a_container_has_only_what_its_specification_asks_for",
    "apps.NAME.run.user": "test_the_container_runs_as_the_run_keys_say",
    "apps.NAME.run.read_only": "test_a_container_has_only_what_its_specification_asks_for",
    "apps.NAME.run.capabilities": "test_the_smallest_set_of_capabilities_suffices_for_a_server_that_starts_as_root",
    "apps.NAME.run.volumes": "test_the_container_runs_as_the_run_keys_say",
    "apps.NAME.run.networks": "test_the_smallest_set_of_capabilities_suffices_for_a_server_that_starts_as_root",
    "apps.NAME.run.extra_hosts": "test_the_container_runs_as_the_run_keys_say",
    "apps.NAME.run.privileges": "test_privileges_are_kept_where_the_app_asks_for_them",
    "apps.NAME.route.host": "test_requests_reach_the_app_by_its_host_and_by_its_path_and_by_no_other",
    "apps.NAME.route.hosts": "test_the_routes_of_the_configuration_are_those_of_the_proxy",
    "apps.NAME.route.path": "test_requests_reach_the_app_by_its_host_and_by_its_path_and_by_no_other",
    "apps.NAME.route.strip_path": "test_the_routes_of_the_configuration_are_those_of_the_proxy",
    "apps.NAME.route.default": "test_the_routes_of_the_configuration_are_those_of_the_proxy",
    "apps.NAME.route.max_connections": "test_a_limit_of_connections_lets_the_others_wait",
    "apps.NAME.route.keep_alive": "test_requests_do_not_wait_for_idle_connections_where_none_is_kept",
    "apps.NAME.route.retry": "test_what_was_in_flight_at_a_crash_is_sent_again_only_where_it_is_allowed",
    "apps.NAME.route.answer_timeout": "test_an_app_has_time_limits_of_its_own",
    "apps.NAME.route.request_timeout": "test_an_app_has_time_limits_of_its_own",
    "apps.NAME.route.websocket_timeout": "test_an_app_has_time_limits_of_its_own",
    "apps.NAME.health.path": "test_the_candidate_was_asked_as_the_health_keys_say",
    "apps.NAME.health.host": "test_the_routes_of_the_configuration_are_those_of_the_proxy",
    "apps.NAME.health.timeout": "test_a_candidate_has_as_long_as_health_timeout_says",
    "apps.NAME.health.answers": "test_the_candidate_was_asked_as_the_health_keys_say",
    "apps.NAME.health.page": "test_the_candidate_was_asked_as_the_health_keys_say",
    "apps.NAME.health.websocket": "test_the_candidate_was_asked_as_the_health_keys_say",
    "apps.NAME.migrate.command": "test_backups_and_migrations_of_an_update_are_as_configured",
    "apps.NAME.migrate.status": "test_there_and_back_and_there_again_under_load_no_request_fails_and_the_wait_is_shown",
    "apps.NAME.migrate.down": "test_there_and_back_and_there_again_under_load_no_request_fails_and_the_wait_is_shown",
    "apps.NAME.migrate.compatible": "test_requests_are_paused_for_a_migration_that_is_not_called_compatible",
    "apps.NAME.migrate.timeout": "test_a_migration_that_takes_too_long_is_stopped_at_its_deadline",
    "apps.NAME.backup.dump": "test_an_apps_database_server_is_backed_up_by_its_dump_command_and_put_back",
    "apps.NAME.backup.restore": "test_an_apps_database_server_is_backed_up_by_its_dump_command_and_put_back",
    "apps.NAME.backup.timeout": "test_a_dump_has_as_long_as_backup_timeout_says",
    "apps.NAME.drain.timeout": "test_draining_is_as_the_drain_keys_say",
    "apps.NAME.drain.signal": "test_draining_is_as_the_drain_keys_say",
    "apps.NAME.drain.stop_timeout": "test_draining_is_as_the_drain_keys_say",
    "apps.NAME.report.kind": "test_each_forge_gets_the_request_that_it_documents",
    "apps.NAME.report.token_file": "test_each_forge_gets_the_request_that_it_documents",
    "apps.NAME.report.api_url": "test_the_forge_is_that_of_the_remote_unless_another_one_is_named",
    "apps.NAME.report.repository": "test_the_forge_is_that_of_the_remote_unless_another_one_is_named",
    "apps.NAME.report.link": "test_a_deployment_is_pending_then_live_with_a_link",
    "apps.NAME.standby": "test_a_rollback_works_from_every_kind_of_standby_without_a_failed_request",
}


def test_every_key_with_an_effect_has_a_test_that_shows_it() -> None:
    keys = [key.name for key in every_key() if not key.no_effect]

    assert list(EFFECTS) == keys


@pytest.mark.parametrize("test", sorted(set(EFFECTS.values())))
def test_the_tests_of_the_table_exist(test: str) -> None:
    """Wherever they are: tests move."""
    defined = re.compile(rf"^(async )?def {test}\(", re.MULTILINE)

    assert any(defined.search(file.read_text()) for file in (ROOT / "tests").rglob("test_*.py"))
