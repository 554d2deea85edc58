# Redmine of Debian, on an empty database of a test: its own default data, its REST API, a private project, and people with keys.
require File.join(ENV.fetch('HABEAS_REDMINE'), 'config/environment')

# Gone with the test: nothing has to survive a power cut.
ActiveRecord::Base.connection.execute('pragma synchronous = off')
ActiveRecord::Migration.verbose = false
ActiveRecord::Base.connection.migration_context.migrate
ActiveRecord::Base.descendants.each(&:reset_column_information)

unless Project.exists?
  Redmine::DefaultData::Loader.load('en')
  Setting.rest_api_enabled = '1'
  project = Project.create!(
    name: 'Privacy', identifier: 'privacy', is_public: false, trackers: Tracker.all, enabled_module_names: ['issue_tracking']
  )
  # Without a workflow: whoever has this role sets no status.
  Role.create!(name: 'Trainee', permissions: %i[view_issues add_issues edit_issues add_issue_notes])
  { 'habeas' => 'Manager', 'grace' => 'Manager', 'trainee' => 'Trainee' }.each do |login, role|
    user = User.new(login: login, firstname: login, lastname: 'Acme', mail: "#{login}@acme.example", language: 'en')
    user.random_password
    user.save!
    Member.create!(project: project, principal: user, roles: [Role.find_by!(name: role)])
    Token.create!(user: user, action: 'api').update_column(:value, ENV.fetch("HABEAS_KEY_#{login.upcase}"))
  end
end

run RedmineApp::Application
